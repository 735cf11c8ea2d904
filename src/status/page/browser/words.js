// What the relay's short words mean to a person, and what to do about each. Pure.

/** @import { JournalStatus, OutputStatus, Problem, RelayStatus } from '../../types.ts' */

/**
 * How good or bad a thing is; `none`: neither.
 *
 * @typedef {'ok' | 'warning' | 'error' | 'none'} Level
 */

/**
 * @typedef {object} Meaning
 * @property {Level} level
 * @property {string} text
 * @property {string} advice what to do
 */

/** @type {Readonly<Record<OutputStatus['state'], readonly [Level, string]>>} */
export const OUTPUT_STATES = {
  starting: ['none', 'connecting'],
  running: ['ok', 'running'],
  retrying: ['error', 'retrying'],
  stopped: ['none', 'stopped'],
};

/** @type {Readonly<Record<JournalStatus['state'], readonly [Level, string]>>} */
export const JOURNAL_STATES = {
  writable: ['ok', 'taking events'],
  commit_full: ['ok', 'waiting for the disk'],
  size_limit: ['error', 'full'],
  disk_full: ['error', 'disk full'],
  io_error: ['error', 'cannot write'],
  closed: ['none', 'closed'],
};

/** @type {Readonly<Partial<Record<JournalStatus['state'], string>>>} */
const JOURNAL_ADVICE = {
  size_limit:
    'Get the outputs going again, or raise journal.max_size. Until then clients wait; what they hold is not lost.',
  disk_full: 'Free space on this disk. Until then clients wait; what they hold is not lost.',
  io_error: "Look at the disk and the folder's owner and mode. logboom tries again by itself.",
};

const RETRYING_ADVICE =
  'Nothing is lost while the journal has room. See that the other side runs and that its address is right; logboom tries again by itself.';

/** By the reason under which the relay counts events that will not arrive. */
const DROPS = {
  drop_oldest: {
    text: 'were given up because the journal was full and journal.on_full is drop_oldest',
    advice: 'Get the lagging output going, or raise journal.max_size.',
  },
  max_lag: {
    text: 'were given up because an output fell behind its max_lag',
    advice: 'Get that output going, or raise its max_lag.',
  },
  unrouted: {
    text: 'have a tag that no output takes',
    advice: "Widen an output's match, or leave it if they are not wanted.",
  },
  no_longer_routed: {
    text: 'were for an output whose match was narrowed before it had sent them',
    advice: "Widen that output's match before their files are deleted, if they are wanted.",
  },
  invalid_event: {
    text: 'were no valid events',
    advice: 'Look at the client that sent them: an event is a time and a map.',
  },
  dead_letter: {
    text: 'were refused by the other side again and again, and are in the dead-letter folder',
    advice: "Read them there, and look into the other side's log for the reason.",
  },
  dead_letter_deleted: {
    text: 'were deleted from the full dead-letter folder',
    advice: 'Raise dead_letter.max_size, and look for the reason why events are refused.',
  },
  signal_unsupported: {
    text: 'are metrics or traces, which this kind of upstream does not take',
    advice: "Set the output's kind to what the other side is, or match them elsewhere.",
  },
  drop_output: {
    text: 'waited for an output that was given up with --drop-output',
    advice: 'Nothing is left to do.',
  },
  corrupt: {
    text: 'could not be read back: their bytes on disk are damaged',
    advice: 'Run logboom buffer verify on the journal, and look at the disk.',
  },
  missing_segment: {
    text: 'were in a journal file that is gone',
    advice: 'See who deletes files in the journal folder.',
  },
  not_stored: {
    text: 'had come in, and were not stored before the relay stopped',
    advice: 'The journal was full or its disk failed. Senders that wait for acks send them again.',
  },
  not_kept: {
    text: 'were deleted before an output had read them',
    advice: "See that nothing else touches the journal folder, and look into the relay's log.",
  },
};

/** By the reason under which a gap is reported. */
const GAPS = {
  place_lost: {
    text: 'lines were deleted before they could be read; how many is not known',
    advice: 'Raise max-size and max-file of its log options, so that an outage fits.',
  },
  rewound: {
    text: 'its log was cut or changed, and is read again from an earlier place',
    advice: 'See that nothing truncates it; some lines may come twice.',
  },
  torn: {
    text: 'bytes that are no log entry were passed over',
    advice: 'A crash of Docker or of the machine leaves such bytes; else look at the disk.',
  },
  unreadable: {
    text: 'a log file could not be read to its end',
    advice: "Look at the file's owner, mode and disk.",
  },
};

/**
 * @param {string} reason
 * @returns {Meaning}
 */
export function dropMeaning(reason) {
  if (reason === 'resent') {
    const text = 'came twice, and were delivered once';
    return { level: 'ok', text, advice: 'Nothing is lost.' };
  }
  const known = knownOf(DROPS, reason);
  if (known !== undefined) return { level: 'error', ...known };
  const advice = "Look for this word in the relay's log.";
  return { level: 'error', text: `were dropped: ${reason}`, advice };
}

/**
 * @param {string} reason
 * @returns {Meaning}
 */
export function gapMeaning(reason) {
  const known = knownOf(GAPS, reason);
  if (known !== undefined) return { level: 'warning', ...known };
  return { level: 'warning', text: reason, advice: 'Run logboom doctor for the fix.' };
}

/**
 * What to do about a problem; empty where its text says all.
 *
 * @param {Problem} problem
 * @param {RelayStatus} status
 */
export function adviceFor({ where }, { journal, outputs }) {
  if (where === 'journal') return JOURNAL_ADVICE[journal.state] ?? '';
  const output = outputs.find(({ name }) => where === `output ${name}`);
  return output?.state === 'retrying' ? RETRYING_ADVICE : '';
}

/**
 * A reason is data: it may be called `constructor`.
 *
 * @template T
 * @param {Readonly<Record<string, T>>} table
 * @param {string} word
 * @returns {T | undefined}
 */
function knownOf(table, word) {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}

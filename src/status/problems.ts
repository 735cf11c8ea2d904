import { DROP_WORDS, isLoss } from './drop-words.ts';
import { counted, humanDuration, humanSize } from './human.ts';
import type {
  GapStatus,
  InputsStatus,
  JournalStatus,
  OutputStatus,
  Problem,
  RelayStatus,
} from './types.ts';

/** Less room than this part of the whole is worth a word. */
const LITTLE_ROOM_RATIO = 0.1;
/** Events that wait for so long in a journal that is otherwise well are behind. */
const BEHIND_MS = 60_000;

type Seen = Pick<
  RelayStatus,
  'now_ms' | 'state' | 'inputs' | 'journal' | 'outputs' | 'dropped' | 'gaps'
>;

/** What a person should look at, the worst first. Pure. */
export function problemsOf(status: Seen): Problem[] {
  const found = [
    ...journalProblems(status.journal),
    ...status.outputs.flatMap((output) => outputProblems(output, status.now_ms)),
    ...dropProblems(status.dropped),
    ...status.gaps.map(gapProblem),
    ...inputProblems(status.inputs),
  ];
  return [
    ...found.filter(({ level }) => level === 'error'),
    ...found.filter(({ level }) => level === 'warning'),
  ];
}

/** Why the journal takes nothing; undefined if it does. */
export function reasonNotWritable({ state, max_bytes }: JournalStatus): string | undefined {
  switch (state) {
    case 'writable':
    case 'commit_full':
      return undefined;
    case 'size_limit':
      return `it has reached its limit of ${humanSize(max_bytes)}: inputs are held until an output has caught up`;
    case 'disk_full':
      return 'the disk is full: inputs are held until there is room';
    case 'io_error':
      return 'the disk fails: inputs are held until it works again';
    case 'closed':
      return 'it is closed';
  }
}

function journalProblems(journal: JournalStatus): Problem[] {
  const where = 'journal';
  const found: Problem[] = [];
  const { max_bytes, room_left_bytes, quarantined } = journal;
  const reason = reasonNotWritable(journal);
  if (reason !== undefined) found.push({ level: 'error', where, text: reason });
  else if (room_left_bytes < LITTLE_ROOM_RATIO * max_bytes) {
    const text = `it has room for ${humanSize(room_left_bytes)} more`;
    found.push({ level: 'warning', where, text });
  }
  if (quarantined > 0) {
    const text = `${counted(quarantined, 'damaged place')} found; what was there is kept in its folder quarantine`;
    found.push({ level: 'warning', where, text });
  }
  return found;
}

function outputProblems(output: OutputStatus, now_ms: number): Problem[] {
  const { name, state, lag_events, oldest_age_ms, last_error, last_error_ms } = output;
  const where = `output ${name}`;
  const waits = waiting(lag_events, oldest_age_ms);
  if (state === 'retrying') {
    const since = last_error_ms === null ? '' : `${humanDuration(now_ms - last_error_ms)} ago: `;
    const error =
      last_error === null ? 'it does not get through' : `${since}${last_error.replace(/\.$/, '')}`;
    return [{ level: 'error', where, text: waits === '' ? error : `${error}; ${waits}` }];
  }
  if (state === 'starting' && waits !== '') {
    return [{ level: 'warning', where, text: `it has not connected yet; ${waits}` }];
  }
  if (oldest_age_ms !== null && oldest_age_ms > BEHIND_MS) {
    return [{ level: 'warning', where, text: `it is behind: ${waits}` }];
  }
  return [];
}

function waiting(lag_events: number | null, oldest_age_ms: number | null): string {
  if (lag_events === null || lag_events === 0) return '';
  const since = oldest_age_ms === null ? '' : `, the oldest for ${humanDuration(oldest_age_ms)}`;
  return `${counted(lag_events, 'event')} ${lag_events === 1 ? 'waits' : 'wait'}${since}`;
}

function dropProblems(dropped: RelayStatus['dropped']): Problem[] {
  return Object.entries(dropped)
    .filter(([reason]) => isLoss(reason))
    .map(([reason, places]) => {
      const events = Object.values(places).reduce((sum, each) => sum + each, 0);
      const text = `${counted(events, 'event')}: ${DROP_WORDS[reason] ?? reason}`;
      return { level: 'warning', where: 'dropped', text };
    });
}

function gapProblem({ container, reason, times }: GapStatus): Problem {
  const often = times > 1 ? ` (${times} times)` : '';
  const text = `lines may be missing: ${GAP_WORDS[reason] ?? reason}${often}`;
  return { level: 'warning', where: `container ${container}`, text };
}

const GAP_WORDS: Readonly<Record<string, string>> = {
  place_lost: 'its log was deleted before it was read',
  rewound: 'its log was cut or changed, and is read again from an earlier place',
  torn: 'bytes that are no log entry were passed over',
  unreadable: 'a log file could not be read to its end',
};

function inputProblems(inputs: InputsStatus): Problem[] {
  const told: readonly [count: number, word: string, rest: string][] = [
    [inputs.connections_refused, 'connection', 'refused: there were too many'],
    [inputs.connections_failed, 'connection', 'closed: their events could not be stored'],
    [inputs.connections_broken, 'connection', 'closed for what the client sent'],
    [inputs.handshake_failures, 'client', 'failed the handshake'],
    [inputs.tls_failures, 'client', 'failed the TLS handshake'],
  ];
  return told
    .filter(([count]) => count > 0)
    .map(([count, word, rest]) => {
      const text = `${counted(count, word)} ${rest}`;
      return { level: 'warning', where: 'inputs', text };
    });
}

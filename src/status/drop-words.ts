/**
 * What the reasons under which events are counted as dropped mean, in plain words; a
 * reason that is not here is shown as it is.
 */
export const DROP_WORDS: Readonly<Record<string, string>> = {
  corrupt: 'damaged in the journal',
  dead_letter: 'refused by the server again and again; kept in the dead letters',
  dead_letter_deleted: 'dead letters deleted for lack of room',
  drop_oldest: 'deleted because the journal was full',
  drop_output: 'given up with --drop-output',
  invalid_event: 'not an event',
  max_lag: 'deleted because the output was too far behind',
  missing_segment: 'in a journal file that is gone',
  no_longer_routed: 'for an output whose pattern does not match them any more',
  not_stored:
    'received, and not stored before a stop; who waits for acks, and log files, bring them again',
  not_kept: 'deleted before the output began',
  resent: 'sent again by a client; the journal had them',
  signal_unsupported: 'metrics or traces, which the server cannot take',
  unrouted: 'no output takes their tag',
};

/** False for events that did arrive, by another copy. */
export function isLoss(reason: string): boolean {
  return reason !== 'resent';
}

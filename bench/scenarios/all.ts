import { BACKLOG } from './backlog.ts';
import { IDLE, JSON_FILE } from './following.ts';
import { LATENCY } from './latency.ts';
import { OUTAGE } from './outage.ts';
import type { Scenario } from './scenario.ts';
import { START } from './start.ts';
import { THROUGHPUT } from './throughput.ts';

/** In the order in which they run and are shown. */
export const SCENARIOS: readonly Scenario[] = [
  ...THROUGHPUT,
  OUTAGE,
  JSON_FILE,
  ...LATENCY,
  BACKLOG,
  IDLE,
  START,
];

/** With `--quick` the peers, some of which take seconds to start, show themselves only here. */
export const QUICK_WITH_PEERS: ReadonlySet<string> = new Set(['message', 'packed', 'json-file']);

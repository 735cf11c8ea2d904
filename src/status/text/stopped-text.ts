import { counted, humanCount, humanDuration, humanSize } from '../human.ts';
import type { StoppedOutput, StoppedStatus } from '../stopped.ts';
import { harmless, type Paint } from './style.ts';
import { type Column, tableLines } from './table.ts';

/** For a person, as lines without their newlines: that no relay answers, and what its journal shows. */
export function stoppedLines(status: StoppedStatus, paint: Paint, columns_max?: number): string[] {
  const { dir, bytes, segments, oldest_ms, now_ms, damaged_places, other_relay, outputs } = status;
  const oldest =
    oldest_ms === null ? '' : `, oldest event ${humanDuration(now_ms - oldest_ms)} old`;
  const lines = [
    headline(status, paint),
    `${paint('dim', 'journal  ')}${humanSize(bytes)}, ${counted(segments, 'segment')}${oldest}, in ${harmless(dir)}`,
  ];
  if (damaged_places > 0) {
    const places = counted(damaged_places, 'damaged place');
    lines.push(
      `${paint('yellow', '!')} ${places} found; see all with: logboom buffer verify ${harmless(dir)}`,
    );
  }
  if (other_relay !== null) {
    const { url, dir: other_dir } = other_relay;
    lines.push(
      `${paint('yellow', '!')} another relay answers at ${url}, for the journal in ${harmless(other_dir)}; see it with: logboom status --status ${url}`,
    );
  }
  if (outputs.length > 0) lines.push('', ...tableLines(COLUMNS, outputs, paint, columns_max));
  return lines;
}

function headline({ state, pid }: StoppedStatus, paint: Paint): string {
  const owner = pid === null ? '' : ` (last: pid ${pid})`;
  const words =
    state === 'stopped'
      ? 'is not running; its journal was closed'
      : 'does not answer; it crashed, or is about to start or stop, or belongs to another user';
  return `${paint('red', '✗')} ${paint('bold', 'logboom')} ${words}${owner}`;
}

const COLUMNS: readonly Column<StoppedOutput>[] = [
  { title: 'OUTPUT', shrinks: true, cell: ({ name }) => harmless(name) },
  {
    title: 'WAITING',
    align: 'right',
    cell: ({ lag_events, lag_bytes }) => {
      if (lag_events === null) return '?';
      return lag_bytes === null || lag_events === 0
        ? humanCount(lag_events)
        : `${humanCount(lag_events)} (${humanSize(lag_bytes)})`;
    },
  },
];

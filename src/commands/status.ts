import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import { statusLines } from '../status/text/status-text.ts';
import { stoppedLines } from '../status/text/stopped-text.ts';
import { type Clock, systemClock } from '../sys/clock.ts';
import { EXIT, type ExitCode, type Host } from './host.ts';
import { onEndKey } from './status/keys.ts';
import { type Look, look, type Places, placesOf } from './status/look.ts';
import type { StatusFlags } from './status/options.ts';
import { Screen } from './status/screen.ts';
import { canDraw, columnsOf, paintOf } from './terminal.ts';

const WATCH_EVERY_MS = 1_000;

/**
 * `logboom status`: what the running relay tells of itself, or what its journal shows when
 * none answers; once, or again and again until `signal` aborts.
 *
 * @throws LB_STATUS if there is neither; LB_USAGE, LB_CONFIG
 */
export async function status(
  host: Host,
  flags: StatusFlags,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<ExitCode> {
  const places = await placesOf(host, flags);
  if (flags.watch === true) return watch(host, places, flags, signal, clock);
  const found = await look(places, clock);
  host.stdout.write(rendered(found, flags, host));
  return exitCode(found);
}

/** A relay that goes away while it is watched is waited for. */
async function watch(
  host: Host,
  places: Places,
  flags: StatusFlags,
  signal: AbortSignal,
  clock: Clock,
): Promise<ExitCode> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  signal.addEventListener('abort', end);
  host.stdout.once('error', end);
  const draws = canDraw(host) && flags.json !== true;
  let found = await look(places, clock);
  const restoreKeys = draws ? onEndKey(host.stdin, end) : (): void => {};
  const screen = draws ? new Screen(host.stdout) : undefined;
  let trouble = '';
  try {
    while (!ended.signal.aborted) {
      const lines = linesOf(found, host);
      if (screen === undefined) host.stdout.write(rendered(found, flags, host));
      else screen.draw(trouble === '' ? lines : [trouble, '', ...lines]);
      await sleep(WATCH_EVERY_MS, undefined, { signal: ended.signal }).catch(() => {});
      if (ended.signal.aborted) break;
      try {
        found = await look(places, clock);
        trouble = '';
      } catch (error) {
        trouble = messageOf(error);
      }
    }
  } finally {
    screen?.close();
    restoreKeys();
    signal.removeEventListener('abort', end);
  }
  return exitCode(found);
}

function rendered(found: Look, { json, watch }: StatusFlags, host: Host): string {
  if (json === true) return `${JSON.stringify(found.status, null, watch === true ? 0 : 2)}\n`;
  const text = `${linesOf(found, host).join('\n')}\n`;
  return watch === true ? `${text}\n` : text;
}

function linesOf(found: Look, host: Host): string[] {
  const paint = paintOf(host);
  const columns_max = columnsOf(host);
  return found.answered
    ? statusLines(found.status, paint, columns_max)
    : stoppedLines(found.status, paint, columns_max);
}

const exitCode = ({ answered }: Look): ExitCode => (answered ? EXIT.ok : EXIT.failure);

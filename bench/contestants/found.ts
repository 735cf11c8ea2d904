import { run } from '../../test/support/process.ts';
import type { Contestant } from './contestant.ts';
import { fluentBit } from './fluent-bit.ts';
import { fluentd } from './fluentd.ts';
import { logboom } from './logboom.ts';
import { pump } from './pump.ts';

/** Ourselves, the limit, and the peers that are on PATH. */
export async function findContestants(): Promise<readonly Contestant[]> {
  const fluentd_version = await versionOf('fluentd');
  const fluent_bit_version = await versionOf('fluent-bit');
  return [
    pump(),
    logboom(),
    ...(fluentd_version === undefined ? [] : [fluentd(fluentd_version)]),
    ...(fluent_bit_version === undefined ? [] : [fluentBit(fluent_bit_version)]),
  ];
}

/** The first line of `--version`; undefined if there is no such command. */
async function versionOf(command: string): Promise<string | undefined> {
  try {
    const [first] = (await run(command, ['--version'])).trim().split('\n');
    return first;
  } catch {
    return undefined;
  }
}

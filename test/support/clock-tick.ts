import { rm, stat, writeFile } from 'node:fs/promises';
import { until } from './wait.ts';

/**
 * Waits until what happens to a file is stamped with a later time than the last change of
 * this one: the kernel stamps by its clock's ticks, up to 10 ms apart.
 */
export async function nextClockTick(path: string): Promise<void> {
  const { ctimeMs: changed_ms } = await stat(path);
  const probe = `${path}.tick`;
  await until(
    "a tick of the kernel's clock",
    async () => {
      await writeFile(probe, 'x');
      return (await stat(probe)).ctimeMs > changed_ms;
    },
    { interval_ms: 1 },
  );
  await rm(probe);
}

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { machineTime_ms } from './proc.ts';

const SAMPLES_MAX = 5000;

/** How long one fdatasync takes on this disk after `append_bytes` more in a file, again and again for so long. */
export function sampleFdatasync(
  directory: string,
  append_bytes: number,
  for_ms: number,
): readonly number[] {
  const fd = openSync(join(directory, 'fdatasync.data'), 'w');
  const bytes = Buffer.alloc(append_bytes, 1);
  const samples_ms: number[] = [];
  try {
    const end_ms = machineTime_ms() + for_ms;
    for (let now_ms = 0; now_ms < end_ms && samples_ms.length < SAMPLES_MAX; ) {
      writeSync(fd, bytes);
      const begin_ms = machineTime_ms();
      fdatasyncSync(fd);
      now_ms = machineTime_ms();
      samples_ms.push(now_ms - begin_ms);
    }
  } finally {
    closeSync(fd);
  }
  return samples_ms;
}

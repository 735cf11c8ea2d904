import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { machineTime_ms } from './proc.ts';

const WRITE_BYTES = 4096;
const SAMPLES_MAX = 2000;

/** How long appending 4 KiB and one fdatasync take on this disk, again and again for so long. */
export function sampleFdatasync(directory: string, for_ms: number): number[] {
  const fd = openSync(join(directory, 'fdatasync.data'), 'w');
  const bytes = Buffer.alloc(WRITE_BYTES, 1);
  const samples_ms: number[] = [];
  try {
    const end_ms = machineTime_ms() + for_ms;
    for (let begin_ms = machineTime_ms(); begin_ms < end_ms && samples_ms.length < SAMPLES_MAX; ) {
      writeSync(fd, bytes);
      fdatasyncSync(fd);
      const now_ms = machineTime_ms();
      samples_ms.push(now_ms - begin_ms);
      begin_ms = now_ms;
    }
  } finally {
    closeSync(fd);
  }
  return samples_ms;
}

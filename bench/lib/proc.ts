import { readFileSync } from 'node:fs';

/** What the operating system's accounting says about a process; Linux only. */

/** Of the times in /proc: USER_HZ, which is 100 on every architecture that Node runs on. */
const TICKS_PER_S = 100;
const US_PER_TICK = 1_000_000 / TICKS_PER_S;

/** CPU time of all threads of a process, in user mode and in the kernel, in steps of 10 ms. */
export function cpuTime_us(pid: number): number {
  return parseCpuTime_us(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/** utime + stime, fields 14 and 15; the name in field 2 may hold anything, also `)`. */
export function parseCpuTime_us(stat: string): number {
  const behind_name = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [utime, stime] = [Number(behind_name[11]), Number(behind_name[12])];
  if (Number.isNaN(utime + stime)) throw new RangeError(`expected /proc/PID/stat, found ${stat}`);
  return (utime + stime) * US_PER_TICK;
}

/** The most memory that a process has had resident since its start. */
export function peakMemory_mib(pid: number): number {
  return parseMemory_mib(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmHWM');
}

export function parseMemory_mib(status: string, key: 'VmHWM' | 'VmRSS'): number {
  const kib = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kib === undefined) throw new RangeError(`expected ${key} in /proc/PID/status`);
  return Number(kib) / 1024;
}

/** Milliseconds of the clock that all processes of a machine share. */
export function machineTime_ms(): number {
  return Number(process.hrtime.bigint()) / 1_000_000;
}

import { readdirSync, readFileSync } from 'node:fs';

/** What the operating system's accounting says about processes; Linux only. */

/** Of the times in /proc: USER_HZ, which is 100 on every architecture that Node runs on. */
const TICKS_PER_S = 100;
const US_PER_TICK = 1_000_000 / TICKS_PER_S;

/** What /proc/PID/stat tells of a process. */
export interface ProcessStat {
  readonly parent: number;
  /** Of all its threads, in user mode and in the kernel, in steps of 10 ms. */
  readonly own_us: number;
  /** Of its children that have ended and that it has waited for, and of theirs. */
  readonly ended_children_us: number;
}

/** Fields 4 and 14 to 17; the name in field 2 may hold anything, also `)`. */
export function parseStat(stat: string): ProcessStat {
  const behind_name = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(behind_name[number - 3]);
  const parsed = {
    parent: field(4),
    own_us: (field(14) + field(15)) * US_PER_TICK,
    ended_children_us: (field(16) + field(17)) * US_PER_TICK,
  };
  if (Object.values(parsed).some(Number.isNaN)) {
    throw new RangeError(`expected /proc/PID/stat, found ${stat}`);
  }
  return parsed;
}

/**
 * CPU time of a process and everything that it started, living or ended: a supervisor
 * does little itself.
 */
export function cpuTime_us(pid: number): number {
  const { own_us, ended_children_us } = statOf(pid);
  return familyOf(pid).reduce((sum, child) => {
    const stat = statIfThere(child);
    return stat === undefined ? sum : sum + stat.own_us + stat.ended_children_us;
  }, own_us + ended_children_us);
}

/**
 * The most memory that a process, and each that it started and that still lives, has had
 * resident since its start, added up: with several, no less than what they had at once.
 */
export function peakMemory_mib(pid: number): number {
  return [pid, ...familyOf(pid)].reduce((sum, one) => sum + peakOf_mib(one), 0);
}

/** Its living children, theirs, and so on; without itself. */
export function familyOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? statIfThere(Number(name))?.parent : undefined;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const family = [...(children.get(pid) ?? [])];
  for (const member of family) family.push(...(children.get(member) ?? []));
  return family;
}

const statOf = (pid: number): ProcessStat => parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));

/** Undefined: it has ended meanwhile. */
function statIfThere(pid: number): ProcessStat | undefined {
  try {
    return statOf(pid);
  } catch {
    return undefined;
  }
}

function peakOf_mib(pid: number): number {
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

import { describe, expect, it, onTestFinished } from 'vitest';
import { diskOf } from '../../bench/lib/machine.ts';
import {
  cpuTime_us,
  familyOf,
  parseMemory_mib,
  parseStat,
  peakMemory_mib,
} from '../../bench/lib/proc.ts';
import { selfTimes, selfTimeTable } from '../../bench/lib/profile.ts';
import { Child } from '../support/process.ts';
import { until } from '../support/wait.ts';

describe('the accounting of the operating system', () => {
  it('gives user and kernel time, whatever the process is called', () => {
    const stat = '7 (a) b) (c) S 1 7 7 0 -1 4194304 500 0 0 0 150 30 9 8 20 0 11 0 12345 1 2';
    expect(parseStat(stat)).toEqual({ parent: 1, own_us: 1_800_000, ended_children_us: 170_000 });
  });

  it('counts what the children of a process do as its own: those that live and those that ended', async () => {
    const burn = 'const end_us = 150e3; while (process.cpuUsage().user < end_us);';
    const node = `"${process.execPath}" -e "${burn} console.log('done');`;
    // A shell that does nothing itself: it waits for one to its end, then for one that stays.
    const script = `${node}"; ${node} setInterval(() => {}, 1000)" & wait`;
    const supervisor = new Child('sh', ['-c', script]);
    onTestFinished(async () => {
      for (const pid of familyOf(supervisor.pid)) process.kill(pid, 'SIGKILL');
      await supervisor.stop('SIGKILL');
    });
    await until('both are done', () => supervisor.stdout === 'done\ndone\n');
    expect(cpuTime_us(supervisor.pid)).toBeGreaterThanOrEqual(300_000);
    expect(peakMemory_mib(supervisor.pid)).toBeGreaterThan(20);
  });

  it('is there for this process', () => {
    expect(cpuTime_us(process.pid)).toBeGreaterThan(0);
  });

  it('refuses what it does not know', () => {
    expect(() => parseStat('nothing')).toThrow(RangeError);
    expect(() => parseMemory_mib('VmSize: 5 kB', 'VmHWM')).toThrow(RangeError);
  });

  it('gives peak memory in MiB', () => {
    expect(parseMemory_mib('VmPeak:\t 9 kB\nVmHWM:\t  131072 kB\nVmRSS:\t 1 kB\n', 'VmHWM')).toBe(
      128,
    );
  });
});

describe('the disk', () => {
  const MOUNTS =
    '/dev/root / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/sdb /tmp/fast xfs rw 0 0\n';

  it('is the innermost mount that the folder is under', () => {
    expect(diskOf('/home/x/', MOUNTS)).toBe('/dev/root ext4');
    expect(diskOf('/tmp/x/', MOUNTS)).toBe('tmpfs tmpfs');
    expect(diskOf('/tmp/fast/x/', MOUNTS)).toBe('/dev/sdb xfs');
    expect(diskOf('/tmpfile/', MOUNTS)).toBe('/dev/root ext4');
  });
});

describe('a CPU profile', () => {
  const node = (id: number, functionName: string, url = '', lineNumber = -1) => ({
    id,
    callFrame: { functionName, url, lineNumber },
  });
  const PROFILE = {
    nodes: [
      node(1, 'walk', 'file:///x/dist/protocol/frame-walk.js', 41),
      node(2, 'writev'),
      node(3, 'walk', 'file:///x/dist/protocol/frame-walk.js', 41),
      node(4, '(idle)'),
    ],
    samples: [1, 2, 3, 4, 2, 1],
    timeDeltas: [100, 200, 300, 9000, 50, 100],
  };

  it('adds up the self time of a function over all its callers, and leaves waiting out', () => {
    expect(selfTimes(PROFILE)).toEqual([
      { where: 'walk protocol/frame-walk.js:42', self_us: 500 },
      { where: 'writev', self_us: 250 },
    ]);
  });

  it('is shown with shares of the time at work', () => {
    const [, first] = selfTimeTable(selfTimes(PROFILE), 1).split('\n');
    expect(first).toContain('66.7 %');
  });
});

import { describe, expect, it } from 'vitest';
import { diskOf } from '../../bench/lib/machine.ts';
import { cpuTime_us, parseCpuTime_us, parseMemory_mib } from '../../bench/lib/proc.ts';
import { selfTimes, selfTimeTable } from '../../bench/lib/profile.ts';

describe('the accounting of the operating system', () => {
  it('gives user and kernel time, whatever the process is called', () => {
    const stat = '7 (a) b) (c) S 1 7 7 0 -1 4194304 500 0 0 0 150 30 9 9 20 0 11 0 12345 1 2';
    expect(parseCpuTime_us(stat)).toBe(1_800_000);
  });

  it('is there for this process', () => {
    expect(cpuTime_us(process.pid)).toBeGreaterThan(0);
  });

  it('refuses what it does not know', () => {
    expect(() => parseCpuTime_us('nothing')).toThrow(RangeError);
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

import { alignedTable } from './table.ts';

/** As V8 writes it with `node --cpu-prof`, as far as self times need. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      /** From 0. */
      readonly lineNumber: number;
    };
  }[];
  /** The id of the node that ran at each sample, and the microseconds since the one before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface SelfTime {
  /** `name folder/file.js:12`; Node's own functions have no file. */
  readonly where: string;
  readonly self_us: number;
}

/** Time in functions themselves, not in what they call; the largest first. Waiting is left out. */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): SelfTime[] {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const totals_us = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const where = places.get(id);
    if (where === undefined || where === '(idle)') continue;
    totals_us.set(where, (totals_us.get(where) ?? 0) + (timeDeltas[index] ?? 0));
  }
  return [...totals_us]
    .map(([where, self_us]) => ({ where, self_us }))
    .toSorted((a, b) => b.self_us - a.self_us);
}

function placeOf({
  functionName,
  url,
  lineNumber,
}: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  const file = url.split('/').slice(-2).join('/');
  return file === '' ? name : `${name} ${file}:${lineNumber + 1}`;
}

export function selfTimeTable(times: readonly SelfTime[], rows_max = 20): string {
  const total_us = times.reduce((sum, { self_us }) => sum + self_us, 0);
  const rows = times
    .slice(0, rows_max)
    .map(({ where, self_us }) => [
      where,
      `${(self_us / 1000).toFixed(0)} ms`,
      `${((self_us / total_us) * 100).toFixed(1)} %`,
    ]);
  return alignedTable([['function', 'self', 'share'], ...rows], 1);
}

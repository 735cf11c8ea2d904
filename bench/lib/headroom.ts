import type { Summary } from './results.ts';

/** Beyond so much of a core, the process that makes the load or the one that counts could be what is measured. */
const LIMIT_PERCENT = 90;

const WORKERS = [
  { figure: 'generator_percent', name: 'generator' },
  { figure: 'sink_percent', name: 'sink' },
] as const;

/** Whether the bench itself was the limit anywhere: the most that its processes took of a core each. Empty if not measured. */
export function headroomText(summaries: readonly Summary[]): string {
  const parts = WORKERS.flatMap(({ figure, name }) => {
    const used = summaries
      .map(({ scenario, contestant, figures }) => ({
        where: `${scenario}, ${contestant}`,
        percent: figures[figure] ?? 0,
      }))
      .toSorted((a, b) => b.percent - a.percent);
    const [most] = used;
    if (most === undefined || most.percent === 0) return [];
    const text = `${name} at most ${Math.round(most.percent)} % (${most.where})`;
    const limited = used.filter(({ percent }) => percent > LIMIT_PERCENT).map(({ where }) => where);
    return [limited.length === 0 ? text : `${text}; IT WAS THE LIMIT in ${limited.join('; ')}`];
  });
  return parts.length === 0 ? '' : `The bench itself, of a core: ${parts.join('; ')}.`;
}

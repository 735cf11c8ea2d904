import type { CheckedSections, Report } from './report.ts';

/** A pattern that asks for nothing would fit every container. */
export function checkDocker({ docker }: CheckedSections, report: Report): void {
  if (docker === undefined) return;
  for (const key of ['include', 'exclude'] as const) {
    for (const [index, pattern] of docker[key].entries()) {
      if (Object.keys(pattern).length > 0) continue;
      report(['docker', key, index], 'expected name, image or label, found none of them');
    }
  }
}

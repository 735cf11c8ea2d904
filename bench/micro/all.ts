import type { Figures } from '../lib/results.ts';
import type { Workspace } from '../lib/workspace.ts';
import { JOURNAL } from './journal.ts';
import { LINES_OF_LOGS } from './lines.ts';
import { measure } from './measure.ts';
import { PROTOCOL } from './protocol.ts';

/** The scenario's name for `--only`. */
export const MICRO = 'micro';

export interface MicroResult {
  readonly name: string;
  readonly figures: Figures;
}

/** Single parts, in this process, one after another. */
export async function measureParts(
  workspace: Workspace,
  load_ms: number,
  interrupted: AbortSignal,
): Promise<MicroResult[]> {
  const results: MicroResult[] = [];
  for (const micro of [...PROTOCOL, ...JOURNAL, ...LINES_OF_LOGS]) {
    interrupted.throwIfAborted();
    const figures = await workspace.within(async (directory) =>
      measure(await micro.begin(directory), load_ms),
    );
    results.push({ name: micro.name, figures });
  }
  return results;
}

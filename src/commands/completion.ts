import type { RootCommand } from '@bomb.sh/tab';
import type { Command } from 'commander';
import { bashCompletion } from './completion-bash.ts';
import type { Host } from './host.ts';

/** Shells that completion scripts exist for. */
export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;

/** Prints the script that a shell loads; it calls `logboom complete` for each press of Tab. */
export async function printCompletionScript(
  host: Host,
  program: Command,
  shell: string,
): Promise<void> {
  if (shell === 'bash') {
    host.stdout.write(bashCompletion(program.name()));
    return;
  }
  const completion = await completionOf(program);
  completion.setup(program.name(), program.name(), shell);
}

/** Prints what may follow `words`, as the script understands it. */
export async function printCompletions(program: Command, words: readonly string[]): Promise<void> {
  const completion = await completionOf(program);
  completion.parse([...words]);
}

/** Adds the commands `completion` and `complete` to `program`, so that they are known too. */
async function completionOf(program: Command): Promise<RootCommand> {
  const { default: tab } = await import('@bomb.sh/tab/commander');
  return tab(program, { completionCommandName: 'completion' });
}

import type { Protocol } from '../lib/worker.ts';

/** A worker process's end of its channel to the bench; the process ends with the bench. */
export class Channel<P extends Protocol> {
  /** What the process was started with. */
  readonly settings = JSON.parse(process.argv[2] ?? '{}') as P['settings'];

  /** @param handle does a command; its failure ends the process */
  serve(handle: (command: P['command']) => Promise<void>): void {
    process.on('message', (command) => {
      handle(command as P['command']).catch((error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      });
    });
    process.once('disconnect', () => process.exit());
    // Ctrl-C reaches the whole process group; the bench ends its workers itself.
    process.on('SIGINT', () => {});
  }

  report(what: P['report']): void {
    process.send?.(what);
  }
}

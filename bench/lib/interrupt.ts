const EXIT_CODE = 130;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Aborted at the first signal to end, so that processes and folders can be tidied up in their
 * order. At the second one this process ends at once; what it started is killed then.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_CODE);
    process.exitCode = EXIT_CODE;
    controller.abort(new Error('interrupted'));
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  return controller.signal;
}

/**
 * Calls `task` behind one whole turn of the event loop. What sockets had is read by then, also
 * when this process stood still until now: timers that fell due meanwhile run before any read.
 *
 * @returns the way to call it off
 */
export function behindTurn(task: () => void): () => void {
  let immediate = setImmediate(() => {
    immediate = setImmediate(task);
  });
  return () => clearImmediate(immediate);
}

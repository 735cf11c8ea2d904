/** The time, at the edge of the world, so that everything inside can be given another. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May step, also backwards. */
  now_ms(): number;
  /** Milliseconds that never go backwards; only differences mean something. */
  monotonic_ms(): number;
  /** Calls `task` once after `delay_ms`, unless the returned function is called first. Does not keep the process alive by itself. */
  after(delay_ms: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  now_ms: () => Date.now(),
  monotonic_ms: () => performance.now(),
  after(delay_ms, task) {
    const timer = setTimeout(task, delay_ms);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

/**
 * What has to be taken back when something that is built in steps fails half way.
 *
 *     const undo = new Undo();
 *     try { ...; undo.add(() => part.close()); ... } catch (error) { await undo.run(); throw error; }
 */
export class Undo {
  readonly #steps: (() => Promise<void> | void)[] = [];

  add(step: () => Promise<void> | void): void {
    this.#steps.push(step);
  }

  /** Runs all steps, the last one first; one that fails keeps none of the others from running. Never rejects. */
  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) {
      try {
        await step();
      } catch {
        // Why the start failed is what counts, and is thrown by the caller.
      }
    }
  }
}

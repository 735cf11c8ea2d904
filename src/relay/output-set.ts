import type { Writable } from 'node:stream';
import type { Config, OutputConfig } from '../config/types.ts';
import { LogboomError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { Cursor } from '../journal/types.ts';
import { fileOutput } from '../outputs/file/file-output.ts';
import { ForwardOutput } from '../outputs/forward/forward-output.ts';
import type { Output, OutputSource, OutputStats } from '../outputs/output.ts';
import { Router } from '../outputs/router.ts';
import { stdoutOutput } from '../outputs/stdout.ts';
import { TransientCursor } from '../outputs/transient-cursor.ts';
import type { Clock } from '../sys/clock.ts';
import { nodeFs } from '../sys/fs.ts';
import type { DropLedger } from '../sys/ledger.ts';
import type { Log } from '../sys/log.ts';

export interface OutputSetDeps {
  readonly journal: Journal;
  readonly ledger: DropLedger;
  readonly clock: Clock;
  readonly log: Log;
  readonly stdout: Writable;
  readonly stdout_is_terminal: boolean;
}

interface RunningOutput {
  readonly config: OutputConfig;
  readonly output: Output;
}

type Outputs = Config['outputs'];

/**
 * The outputs that run, each with its reader and cursor over the one journal.
 *
 * Invariants:
 * - one output per name, and one output per cursor: an output begins at a cursor only
 *   after the one before it has stopped
 * - every cursor in the journal belongs to a configured output, so none holds space unseen
 */
export class OutputSet {
  readonly #deps: OutputSetDeps;
  readonly #router: Router;
  readonly #running = new Map<string, RunningOutput>();

  /** @throws LB_CONFIG for a pattern that is not valid */
  constructor(outputs: Outputs, deps: OutputSetDeps) {
    this.#deps = deps;
    this.#router = new Router(routesOf(outputs), deps.ledger);
    deps.journal.onAppended((counts) => {
      for (const { tag, count } of counts) this.#router.routed(tag, count);
    });
  }

  /**
   * Gives up the cursors of `dropped`, then starts every output.
   *
   * @throws LB_CONFIG if the journal keeps the place of an output that is not configured
   */
  async start(outputs: Outputs, dropped: readonly string[]): Promise<void> {
    const { journal, log } = this.#deps;
    for (const name of dropped) {
      await journal.dropCursor(name);
      log.warn({ output: name }, 'the place of this output in the journal was given up');
    }
    this.#refuseOrphans(outputs);
    for (const config of outputs) await this.#begin(config);
  }

  /**
   * Puts a new configuration in force: outputs that are new or changed start, unchanged
   * ones are not touched. If one of them cannot start, it goes on as it was.
   *
   * @throws LB_CONFIG if an output is missing: its events would wait for nobody
   */
  async replace(outputs: Outputs, deadline_ms: number): Promise<void> {
    this.#refuseOrphans(outputs);
    this.#router.replace(routesOf(outputs));
    for (const config of outputs) {
      const running = this.#running.get(config.name);
      if (running === undefined) await this.#begin(config);
      else if (!isSame(running.config, config)) await this.#exchange(running, config, deadline_ms);
    }
    for (const name of [...this.#running.keys()]) {
      if (!outputs.some((config) => config.name === name)) await this.#end(name, deadline_ms);
    }
  }

  /** Stops all at once, each within the deadline. What is not sent stays in the journal. */
  async stop(deadline_ms: number): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.#end(name, deadline_ms)));
  }

  stats(): ReadonlyMap<string, OutputStats> {
    return new Map([...this.#running].map(([name, { output }]) => [name, output.stats()]));
  }

  #refuseOrphans(outputs: Outputs): void {
    const orphan = this.#deps.journal
      .cursors()
      .find(({ name }) => !outputs.some((config) => config.name === name));
    if (orphan === undefined) return;
    const { name, events_behind } = orphan;
    const waiting = events_behind === 1 ? '1 event waits' : `${events_behind} events wait`;
    throw new LogboomError(
      'LB_CONFIG',
      `the journal keeps a place for the output ${name} (${waiting} for it), but no output has that name`,
      {
        where: `output ${name}`,
        hint: `Configure it again, or give its place up: start with --drop-output ${name}`,
      },
    );
  }

  async #begin(config: OutputConfig): Promise<void> {
    const cursor = await this.#cursor(config);
    const output = this.#create(config, this.#source(config.name, cursor));
    await output.start();
    this.#running.set(config.name, { config, output });
  }

  async #end(name: string, deadline_ms: number): Promise<void> {
    const running = this.#running.get(name);
    await running?.output.stop(deadline_ms);
    this.#running.delete(name);
  }

  async #exchange(old: RunningOutput, config: OutputConfig, deadline_ms: number): Promise<void> {
    await this.#end(config.name, deadline_ms);
    try {
      await this.#begin(config);
    } catch (error) {
      await this.#begin(old.config);
      throw error;
    }
  }

  async #cursor(config: OutputConfig): Promise<Cursor> {
    const { journal } = this.#deps;
    if (isTransient(config)) return new TransientCursor(config.name, journal.durable_seq + 1);
    const cursor = await journal.cursor(config.name, { start: config.start_at });
    cursor.limitLag(config.max_lag_bytes);
    return cursor;
  }

  #source(name: string, cursor: Cursor): OutputSource {
    const { journal } = this.#deps;
    return {
      reader: journal.reader(cursor.seq, name),
      cursor,
      journal_id: journal.id,
      epoch: journal.epoch,
      matches: (tag) => this.#router.match(tag).has(name),
    };
  }

  #create(config: OutputConfig, source: OutputSource): Output {
    const { clock, log, ledger, stdout, stdout_is_terminal } = this.#deps;
    switch (config.type) {
      case 'forward':
        return new ForwardOutput(config, source, { clock, log, ledger, fs: nodeFs });
      case 'file':
        return fileOutput(config, source, { clock, log });
      case 'stdout': {
        const stream = Object.assign(stdout, { isTTY: stdout_is_terminal });
        return stdoutOutput(config, source, stream, { clock, log });
      }
    }
  }
}

const isTransient = (config: OutputConfig): boolean => config.type === 'stdout' && config.transient;

const routesOf = (outputs: Outputs): { output: string; match: string }[] =>
  outputs.map(({ name, match }) => ({ output: name, match }));

/** Configurations are plain data in a fixed order of keys. */
const isSame = (a: OutputConfig, b: OutputConfig): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

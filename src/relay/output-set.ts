import type { Writable } from 'node:stream';
import type { Config, OutputConfig } from '../config/types.ts';
import { LogboomError, messageOf } from '../errors.ts';
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
  /** All routes together: what none takes is counted. */
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
   * @throws LB_CONFIG, with nothing given up, if the journal keeps the place of an output
   *   that is not configured, or `dropped` names one that it does not know
   */
  async start(outputs: Outputs, dropped: readonly string[]): Promise<void> {
    this.#refuseOrphans(outputs, dropped);
    for (const name of dropped) await this.#giveUp(name);
    for (const config of outputs) await this.#begin(config);
  }

  /**
   * Puts a new configuration in force: outputs that are new or changed start, unchanged
   * ones are not touched. If one of them cannot start, all go on as they were.
   *
   * @throws LB_CONFIG if an output is missing, since its events would wait for nobody, or
   *   has become one of another type, which cannot read what its predecessor wrote down
   */
  async replace(outputs: Outputs, deadline_ms: number): Promise<void> {
    this.#refuseOrphans(outputs, []);
    const before = [...this.#running.values()].map(({ config }) => config);
    for (const old of before) refuseOtherType(old, outputs);
    try {
      await this.#apply(outputs, deadline_ms);
    } catch (error) {
      await this.#apply(before, deadline_ms);
      throw error;
    }
    this.#router.replace(routesOf(outputs));
  }

  /** Stops all at once, each within the deadline. What is not sent stays in the journal. */
  async stop(deadline_ms: number): Promise<void> {
    const names = [...this.#running.keys()];
    const ends = await Promise.allSettled(names.map((name) => this.#end(name, deadline_ms)));
    for (const end of ends) {
      if (end.status === 'fulfilled') continue;
      this.#deps.log.error({ error: messageOf(end.reason) }, 'an output did not stop cleanly');
    }
  }

  stats(): ReadonlyMap<string, OutputStats> {
    return new Map([...this.#running].map(([name, { output }]) => [name, output.stats()]));
  }

  async #apply(outputs: Outputs, deadline_ms: number): Promise<void> {
    for (const config of outputs) {
      const running = this.#running.get(config.name);
      if (running !== undefined && isSame(running.config, config)) continue;
      if (running !== undefined) await this.#end(config.name, deadline_ms);
      await this.#begin(config);
    }
    for (const name of [...this.#running.keys()]) {
      if (!outputs.some((config) => config.name === name)) await this.#end(name, deadline_ms);
    }
  }

  #refuseOrphans(outputs: Outputs, dropped: readonly string[]): void {
    const cursors = this.#deps.journal.cursors();
    const unknown = dropped.find((name) => !cursors.some((cursor) => cursor.name === name));
    if (unknown !== undefined) {
      throw new LogboomError('LB_CONFIG', `the journal keeps no place for an output ${unknown}`, {
        where: `--drop-output ${unknown}`,
        hint: `It keeps places for: ${cursors.map(({ name }) => name).join(', ') || 'none'}.`,
      });
    }
    const keeping = new Set(outputs.filter((each) => !isTransient(each)).map(({ name }) => name));
    const orphan = cursors.find(({ name }) => !keeping.has(name) && !dropped.includes(name));
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

  /** What only this output still had to send is dropped, and counted. */
  async #giveUp(name: string): Promise<void> {
    const { journal, ledger, log } = this.#deps;
    const events = journal.cursors().find((cursor) => cursor.name === name)?.events_behind ?? 0;
    await journal.dropCursor(name);
    ledger.count('drop_output', name, events);
    log.warn({ output: name, events }, 'the place of this output in the journal was given up');
  }

  /** If the output cannot start, a place that was made for it is taken back. */
  async #begin(config: OutputConfig): Promise<void> {
    const { journal } = this.#deps;
    const is_new = !journal.cursors().some(({ name }) => name === config.name);
    try {
      const cursor = await this.#cursor(config);
      const output = this.#create(config, this.#source(config, cursor));
      await output.start();
      this.#running.set(config.name, { config, output });
    } catch (error) {
      if (is_new && !isTransient(config)) await journal.dropCursor(config.name);
      throw error;
    }
  }

  async #end(name: string, deadline_ms: number): Promise<void> {
    const running = this.#running.get(name);
    this.#running.delete(name);
    await running?.output.stop(deadline_ms);
  }

  async #cursor(config: OutputConfig): Promise<Cursor> {
    const { journal } = this.#deps;
    if (isTransient(config)) return new TransientCursor(config.name, journal.durable_seq + 1);
    const cursor = await journal.cursor(config.name, { start: config.start_at });
    cursor.limitLag(config.max_lag_bytes);
    return cursor;
  }

  /** The route is the output's own: it changes with the output, never under it. */
  #source({ name, match }: OutputConfig, cursor: Cursor): OutputSource {
    const { journal, ledger } = this.#deps;
    const route = new Router([{ output: name, match }], ledger);
    return {
      reader: journal.reader(cursor.seq, name),
      cursor,
      journal_id: journal.id,
      epoch: journal.epoch,
      matches: (tag) => route.match(tag).size > 0,
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

function refuseOtherType(old: OutputConfig, outputs: Outputs): void {
  const config = outputs.find(({ name }) => name === old.name);
  if (config === undefined || config.type === old.type) return;
  throw new LogboomError(
    'LB_CONFIG',
    `the output ${old.name} is of type ${old.type} and cannot become ${config.type}`,
    { where: `output ${old.name}`, hint: 'Give the new output another name.' },
  );
}

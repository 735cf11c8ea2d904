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
import { windowWriter } from '../outputs/window-writer.ts';
import type { Clock } from '../sys/clock.ts';
import { nodeFs } from '../sys/fs.ts';
import type { DropLedger } from '../sys/ledger.ts';
import type { Log } from '../sys/log.ts';
import { RouteNotes } from './route-notes.ts';
import { Routes } from './routes.ts';
import { StopSteps } from './stop-steps.ts';

export interface OutputSetDeps {
  readonly journal: Journal;
  /** The journal's. */
  readonly directory: string;
  readonly ledger: DropLedger;
  readonly clock: Clock;
  readonly log: Log;
  readonly stdout: Writable;
  readonly stdout_is_terminal: boolean;
}

interface RunningOutput {
  readonly config: OutputConfig;
  readonly output: Output;
  readonly cursor: Cursor;
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
  readonly #routes: Routes;
  readonly #notes: RouteNotes;
  readonly #running = new Map<string, RunningOutput>();
  /** Those that are about to stop, by name. */
  readonly #ending = new Map<string, { readonly output: Output; readonly end: Promise<void> }>();
  #begins_no_more = false;

  /** @throws LB_CONFIG for a pattern that is not valid */
  constructor(outputs: Outputs, deps: OutputSetDeps) {
    this.#deps = deps;
    const { journal, ledger, log, directory } = deps;
    const routes = outputs.map(({ name, match }) => ({ output: name, match }));
    this.#routes = new Routes(routes, ledger);
    this.#notes = new RouteNotes(nodeFs, directory, journal.id, log);
    journal.onAppended((counts) => this.#routes.appended(counts));
  }

  /**
   * Gives up the cursors of `dropped`, then starts every output.
   *
   * @throws LB_CONFIG, with nothing given up, if the journal keeps the place of an output
   *   that is not configured, or of one that was of another type, or `dropped` names one that
   *   it does not know
   */
  async start(outputs: Outputs, dropped: readonly string[]): Promise<void> {
    this.#refuseOrphans(outputs, dropped);
    for (const config of outputs) await this.#refuseOtherWriter(config);
    for (const name of dropped) await this.#giveUp(name);
    this.#routes.restore(await this.#notes.load());
    for (const config of outputs) await this.#begin(config);
    await this.#noteRoutes();
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
    await this.#noteRoutes();
  }

  /** From now on no output begins: a replacement that is under way fails. */
  beginNoMore(): void {
    this.#begins_no_more = true;
  }

  /**
   * Stops all at once, each within the deadline; one that hangs beyond it is left behind,
   * and known to `steps`. What is not sent stays in the journal.
   */
  async stop(deadline_ms: number, steps?: StopSteps): Promise<void> {
    this.beginNoMore();
    const { clock, log } = this.#deps;
    const each = steps ?? new StopSteps(clock, log);
    for (const name of this.#running.keys()) this.#end(name, deadline_ms).catch(() => {});
    await Promise.all(
      [...this.#ending].map(([name, { end }]) =>
        each.take(`output ${name}`, deadline_ms, () => this.#logged(name, end)),
      ),
    );
  }

  /** Those that run or are about to stop, in the order in which they began. */
  all(): { readonly name: string; readonly type: string; readonly stats: OutputStats }[] {
    const all = new Map<string, { output: Output }>([...this.#ending, ...this.#running]);
    return Array.from(all.values(), ({ output }) => {
      const { name, type } = output;
      return { name, type, stats: output.stats() };
    });
  }

  async #apply(outputs: Outputs, deadline_ms: number): Promise<void> {
    for (const config of outputs) {
      const running = this.#running.get(config.name);
      if (running !== undefined && isSame(running.config, config)) continue;
      if (running !== undefined) await this.#end(config.name, deadline_ms);
      await this.#begin(config, running?.cursor);
    }
    for (const name of [...this.#running.keys()]) {
      if (!outputs.some((config) => config.name === name)) await this.#takeBack(name, deadline_ms);
    }
  }

  /** An output that a reload that failed had begun, or one that keeps no place. */
  async #takeBack(name: string, deadline_ms: number): Promise<void> {
    await this.#end(name, deadline_ms);
    this.#routes.remove(name);
    const keeps_place = this.#deps.journal.cursors().some((cursor) => cursor.name === name);
    if (keeps_place) await this.#giveUp(name);
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

  /** An output cannot go on from what one of another type wrote down before. */
  async #refuseOtherWriter({ name, type }: OutputConfig): Promise<void> {
    const { journal } = this.#deps;
    if (!journal.cursors().some((cursor) => cursor.name === name)) return;
    const { window } = await journal.cursor(name, { start: 'oldest' });
    const writer = windowWriter(window);
    if (writer !== undefined && writer !== type) throw otherType(name, writer, type);
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
  async #begin(config: OutputConfig, before?: Cursor): Promise<void> {
    this.#refuseWhenStopping();
    const { journal } = this.#deps;
    this.#routes.tryOut(config.name, config.match);
    const is_new = !journal.cursors().some(({ name }) => name === config.name);
    try {
      const cursor = await this.#cursor(config, before);
      const output = this.#create(config, this.#source(config, cursor));
      await output.start();
      if (this.#begins_no_more) await output.stop(0);
      this.#refuseWhenStopping();
      this.#running.set(config.name, { config, output, cursor });
      this.#routes.keep(journal.totals().events);
    } catch (error) {
      this.#routes.drop();
      if (is_new && !isTransient(config)) await journal.dropCursor(config.name);
      throw error;
    }
  }

  #refuseWhenStopping(): void {
    if (this.#begins_no_more) throw new LogboomError('LB_STOP', 'logboom is about to stop');
  }

  async #end(name: string, deadline_ms: number): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#running.delete(name);
    const end = running.output.stop(deadline_ms);
    this.#ending.set(name, { output: running.output, end });
    await end.finally(() => this.#ending.delete(name));
  }

  /** An output that cannot end well keeps nobody from ending: its events are in the journal. */
  async #logged(name: string, end: Promise<void>): Promise<void> {
    await end.catch((error: unknown) => {
      const fields = { output: name, error: messageOf(error) };
      this.#deps.log.error(fields, 'an output did not stop cleanly');
    });
  }

  /** What is still in the journal for one of the outputs, and from where on. */
  async #noteRoutes(): Promise<void> {
    const { journal } = this.#deps;
    const behind = new Map(journal.cursors().map((cursor) => [cursor.name, cursor.events_behind]));
    const { events } = journal.totals();
    await this.#notes.save(this.#routes.spans((name) => events - (behind.get(name) ?? 0)));
  }

  /** One that keeps no place goes on where its predecessor in this process stood. */
  async #cursor(config: OutputConfig, before: Cursor | undefined): Promise<Cursor> {
    const { journal } = this.#deps;
    if (isTransient(config)) {
      return new TransientCursor(config.name, before?.seq ?? journal.durable_seq + 1);
    }
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
      passedOver: (record) => this.#routes.passedOver(name, record),
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

/** It keeps no place in the journal. */
export const isTransient = (config: OutputConfig): boolean =>
  config.type === 'stdout' && config.transient;

/** Configurations are plain data in a fixed order of keys. */
const isSame = (a: OutputConfig, b: OutputConfig): boolean =>
  JSON.stringify(a) === JSON.stringify(b);

function refuseOtherType(old: OutputConfig, outputs: Outputs): void {
  const config = outputs.find(({ name }) => name === old.name);
  if (config === undefined || config.type === old.type) return;
  throw otherType(old.name, old.type, config.type);
}

function otherType(name: string, was: string, is: string): LogboomError {
  return new LogboomError(
    'LB_CONFIG',
    `the output ${name} was of type ${was} and cannot become ${is}`,
    {
      where: `output ${name}`,
      hint: `Give the new output another name; the place of the old one is then given up with --drop-output ${name}.`,
    },
  );
}

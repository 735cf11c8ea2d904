import type { ForwardWorld } from '../../../src/outputs/forward/context.ts';
import { ForwardOutput } from '../../../src/outputs/forward/forward-output.ts';
import type { ForwardOutputOptions } from '../../../src/outputs/forward/options.ts';
import { systemClock } from '../../../src/sys/clock.ts';
import { nodeFs } from '../../../src/sys/fs.ts';
import { DropLedger } from '../../../src/sys/ledger.ts';
import { ForwardSink, type SinkOptions } from '../../support/forward-sink.ts';
import { RecordSource } from '../../support/record-source.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { until } from '../../support/wait.ts';

export type Server = ForwardOutputOptions['servers'][number];

export function serverOf(sink: ForwardSink, more: Partial<Server> = {}): Server {
  return {
    url: `tcp://127.0.0.1:${sink.port}`,
    address: { kind: 'tcp', host: '127.0.0.1', port: sink.port },
    weight: 1,
    standby: false,
    ...more,
  };
}

export function optionsFor(
  servers: readonly Server[],
  more: Partial<ForwardOutputOptions> = {},
): ForwardOutputOptions {
  return {
    name: 'main',
    servers,
    kind: 'fluentd',
    balance: 'failover',
    ack: true,
    ack_timeout_ms: 60_000,
    connect_timeout_ms: 10_000,
    connection_max_age_ms: undefined,
    compress: 'keep',
    chunk_max_bytes: 1024 * 1024,
    window_max_bytes: 1024 * 1024,
    windows_in_flight_max: 4,
    tls: { verify: true, min_version: 'TLSv1.2' },
    retry: { delay_min_ms: 5, delay_max_ms: 50, max_age_ms: undefined, failover_after_ms: 30_000 },
    dead_letter: { dir: '/dev/null/dead-letter', max_bytes: 1024 * 1024 },
    add: {},
    tag_prefix: '',
    ...more,
  };
}

/** A forward output over a journal in memory; others may follow it over the same cursor. */
export class OutputUnderTest {
  readonly ledger = new DropLedger();
  readonly log = new RecordingLog();
  readonly journal: RecordSource;
  output: ForwardOutput;
  readonly #options: ForwardOutputOptions;
  readonly #world: Partial<ForwardWorld>;
  readonly #matches: (tag: Buffer) => boolean;

  constructor(
    journal: RecordSource,
    options: ForwardOutputOptions,
    world: Partial<ForwardWorld> = {},
    matches = (_tag: Buffer): boolean => true,
  ) {
    this.journal = journal;
    this.#options = options;
    this.#world = world;
    this.#matches = matches;
    this.output = this.#make(options);
  }

  /** Another output over the same cursor; the one before must have stopped, or be forgotten as a crash would. */
  async again(more: Partial<ForwardOutputOptions> = {}): Promise<void> {
    this.output = this.#make({ ...this.#options, ...more });
    await this.output.start();
  }

  /** Ends without saving anything, as a crash does. */
  async crash(): Promise<void> {
    this.journal.beforeSave = () => {
      throw new Error('the process is dead');
    };
    await this.output.stop(0);
    this.journal.beforeSave = () => {};
  }

  async drained(): Promise<void> {
    await until(
      () =>
        `the cursor stands at ${this.journal.saved.seq} of ${this.journal.records.length + 1}: ${JSON.stringify(this.output.stats())}\n${this.log.said('warn').concat(this.log.said('error')).join('\n')}`,
      () => this.journal.drained,
      { timeout_ms: 15_000, interval_ms: 5 },
    );
  }

  #make(options: ForwardOutputOptions): ForwardOutput {
    const world = {
      clock: systemClock,
      log: this.log,
      fs: nodeFs,
      ledger: this.ledger,
      ...this.#world,
    };
    return new ForwardOutput(options, this.journal.source(this.#matches), world);
  }
}

/** The sinks and outputs of one test; `dispose()` ends them all. */
export class Rig {
  readonly journal = new RecordSource();
  readonly #sinks: ForwardSink[] = [];
  readonly #outputs: OutputUnderTest[] = [];

  async sink(options: SinkOptions = {}): Promise<ForwardSink> {
    const sink = await ForwardSink.listen(options);
    this.#sinks.push(sink);
    return sink;
  }

  /** An output to these sinks or servers, over the rig's journal. */
  async output(
    to: readonly (ForwardSink | Server)[],
    more: Partial<ForwardOutputOptions> = {},
    world: Partial<ForwardWorld> = {},
    matches?: (tag: Buffer) => boolean,
  ): Promise<OutputUnderTest> {
    const servers = to.map((server) => (server instanceof ForwardSink ? serverOf(server) : server));
    const output = new OutputUnderTest(this.journal, optionsFor(servers, more), world, matches);
    this.#outputs.push(output);
    await output.output.start();
    return output;
  }

  async dispose(): Promise<void> {
    for (const { output } of this.#outputs) await output.stop(0);
    for (const sink of this.#sinks) await sink.stop();
  }
}

export const range = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + i);

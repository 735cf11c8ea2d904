import { join } from 'node:path';
import { Writable } from 'node:stream';
import { parseConfig } from '../../src/config/load.ts';
import { ConfigTree } from '../../src/config/tree.ts';
import type { Config } from '../../src/config/types.ts';
import { type Relay, startRelay } from '../../src/relay.ts';
import { systemClock } from '../../src/sys/clock.ts';
import { SAMPLES } from './forward-messages.ts';
import { ForwardSink } from './forward-sink.ts';
import { RawClient } from './raw-client.ts';
import { RecordingLog } from './recording-log.ts';
import { type TempDir, tempDir } from './temp-dir.ts';
import { until } from './wait.ts';

/** `{"ack": CHUNK_ID}`: what each event of `send` is answered with. */
const ACK_BYTES = 30;
const STOP_TIMEOUT_MS = 500;
const TAG = Buffer.from('app');

/** Relays in this process, one after another over one journal, and an upstream that they send to. */
export class RelayRig {
  readonly dir: TempDir;
  readonly sink: ForwardSink;
  readonly log = new RecordingLog();
  /** What a relay writes its standard output to. */
  stdout: Writable = new Writable({ write: (_bytes, _encoding, done) => done() });
  /** Where the relay's status is served. */
  status = 'off';
  readonly #relays: Relay[] = [];
  readonly #clients: RawClient[] = [];
  #sent = 0;

  private constructor(dir: TempDir, sink: ForwardSink) {
    this.dir = dir;
    this.sink = sink;
  }

  static async open(): Promise<RelayRig> {
    return new RelayRig(await tempDir('relay'), await ForwardSink.listen());
  }

  async dispose(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await Promise.allSettled(this.#relays.map((relay) => relay.stop()));
    await this.sink.stop();
    await this.dir.remove();
  }

  /** The configuration of an output to the sink. */
  toSink(more: object = {}, sink = this.sink): object {
    return {
      type: 'forward',
      servers: [`tcp://127.0.0.1:${sink.port}`],
      start_at: 'oldest',
      retry: { min: '20ms', max: '100ms' },
      ...more,
    };
  }

  config(outputs: object, journal: object = {}): Config {
    const tree = new ConfigTree({
      inputs: { forward: [{ listen: 'tcp://127.0.0.1:0' }] },
      journal: { dir: join(this.dir.path, 'journal'), ...journal },
      docker: { root: 'off' },
      status: { listen: this.status },
      shutdown: { timeout: `${STOP_TIMEOUT_MS}ms` },
      outputs,
    });
    const cwd = this.dir.path;
    const context = { env: {}, cwd, terminal: false, readFile: () => '', flags: {} };
    const parsed = parseConfig({ tree, problems: [] }, context);
    if (parsed.ok) return parsed.config;
    throw new Error(parsed.problems.map(({ key, message }) => `${key}: ${message}`).join('\n'));
  }

  async start(outputs: object, drop_outputs: readonly string[] = []): Promise<Relay> {
    const relay = await startRelay(this.config(outputs), {
      log: this.log,
      clock: systemClock,
      stdout: this.stdout,
      stdout_is_terminal: false,
      drop_outputs,
      takeover: false,
      env: {},
      pid: 1,
      version: '0.0.0',
    });
    this.#relays.push(relay);
    return relay;
  }

  async client(relay: Relay): Promise<RawClient> {
    const [url = ''] = relay.listening;
    const client = await RawClient.connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    this.#clients.push(client);
    return client;
  }

  /** Sends an event `{"log": "hi"}` under a tag of three letters, and waits for its ack. */
  async send(client: RawClient, tag = 'app'): Promise<void> {
    const message = Buffer.from(SAMPLES.message_chunk);
    // The last but two characters of the id, which is AAAA...==
    message[message.length - 3] = 'A'.charCodeAt(0) + this.#sent++;
    message.write(tag, message.indexOf(TAG));
    const acked_bytes = client.received.length + ACK_BYTES;
    client.send(message);
    await client.receive(acked_bytes);
  }

  /** Resolves when the sink has so many events. */
  sinkHas(events: number, sink = this.sink): Promise<unknown> {
    return until(
      () => `${sink.events} of ${events} events`,
      () => sink.events >= events,
    );
  }

  /** What the last relay that stopped said of events that wait, and that were dropped. */
  get lastWords(): unknown {
    return this.log.lines.findLast(({ fields }) => 'waiting' in fields)?.fields;
  }
}

import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Output } from '../../src/outputs/output.ts';
import {
  type LineStream,
  type StdoutOutputOptions,
  stdoutOutput,
} from '../../src/outputs/stdout.ts';
import { systemClock } from '../../src/sys/clock.ts';
import { silentLog } from '../../src/sys/log.ts';
import { entry, numbered } from '../support/entries.ts';
import { systemError } from '../support/fault-fs.ts';
import { RecordSource } from '../support/record-source.ts';
import { until } from '../support/wait.ts';

let journal: RecordSource;
let output: Output | undefined;

beforeEach(() => {
  journal = new RecordSource();
});

afterEach(async () => {
  await output?.stop(0);
});

async function begin(
  stream: LineStream,
  options: Partial<StdoutOutputOptions> = {},
): Promise<Output> {
  output = stdoutOutput(
    {
      name: 'terminal',
      format: 'auto',
      tag_prefix: '',
      add: {},
      retry_min_ms: 0,
      retry_max_ms: 1,
      ...options,
    },
    journal.source(),
    stream,
    { clock: systemClock, log: silentLog },
  );
  await output.start();
  return output;
}

/** Takes one write at a time, each only when `take()` lets it. */
class SlowStream extends Writable {
  readonly taken: string[] = [];
  #waiting: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#waiting = () => {
      this.taken.push(chunk.toString());
      done();
    };
  }

  get isAsked(): boolean {
    return this.#waiting !== undefined;
  }

  take(): void {
    const take = this.#waiting;
    this.#waiting = undefined;
    take?.();
  }
}

const drained = (): Promise<unknown> => until('the output has caught up', () => journal.drained);

describe('the form', () => {
  const written = async (
    terminal: boolean,
    format: StdoutOutputOptions['format'],
    log: string,
  ): Promise<string> => {
    const stream = Object.assign(new PassThrough(), { isTTY: terminal });
    await begin(stream, { format });
    journal.append({ body: entry({ log }) });
    await drained();
    return String(stream.read());
  };

  test('is NDJSON where no person looks on', async () => {
    expect(await written(false, 'auto', 'hi')).toBe(
      '{"time":"2023-11-14T22:13:20.000000000Z","tag":"app","record":{"log":"hi"}}\n',
    );
  });

  test('is short on a terminal', async () => {
    expect(await written(true, 'auto', 'hi')).toBe('2023-11-14T22:13:20.000Z app hi\n');
  });

  test('of NDJSON on a terminal escapes what JSON lets through, and stays JSON', async () => {
    const text = await written(true, 'ndjson', 'a\u009b2J\u202e');
    expect(text).toContain('a\\u009b2J\\u202e');
    expect(JSON.parse(text)).toMatchObject({ record: { log: 'a\u009b2J\u202e' } });
  });
});

test('the cursor moves only once the stream took the lines, and nothing is read ahead meanwhile', async () => {
  const stream = new SlowStream({ highWaterMark: 1 });
  const started = await begin(stream);
  journal.append({ body: numbered(0, 2), count: 2 });
  await until('a write', () => stream.isAsked);
  journal.append({ body: numbered(2, 1) });
  expect(journal.saved.seq).toBe(1);
  expect(started.stats().events_out).toBe(0);
  stream.take();
  await until('the next write', () => stream.isAsked);
  expect(journal.saved.seq).toBe(2);
  expect(stream.taken).toHaveLength(1);
  stream.take();
  await drained();
  expect(started.stats()).toMatchObject({ events_out: 3, state: 'running', cursor_events: 3 });
});

test('a stream that nobody reads any more is an error of the output; its events stay', async () => {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done(systemError('EPIPE')) });
  const started = await begin(stream);
  journal.append({ body: numbered(0, 1) });
  await until('a second attempt', () => started.stats().retries > 1);
  expect(started.stats()).toMatchObject({ state: 'retrying', events_out: 0, cursor_seq: 1 });
  expect(started.stats().last_error).toContain('EPIPE');
});

test('a stop does not wait for ever on a reader that does not read', async () => {
  const stream = new SlowStream();
  const started = await begin(stream);
  journal.append({ body: numbered(0, 1) });
  await until('a write', () => stream.isAsked);
  await started.stop(10);
  expect(started.stats().state).toBe('stopped');
  expect(journal.saved.seq).toBe(1);
});

test('the stream is left open and without listeners', async () => {
  const stream = new PassThrough();
  const listeners = stream.listenerCount('error');
  const started = await begin(stream);
  await started.stop(1000);
  expect(stream.writableEnded).toBe(false);
  expect(stream.listenerCount('error')).toBe(listeners);
});

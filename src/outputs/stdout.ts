import type { Writable } from 'node:stream';
import { LogboomError, messageOf } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { joinedSource } from './joining/joined-source.ts';
import type { JoinLimits } from './joining/joiner.ts';
import type { OutputSource } from './output.ts';
import { PrettyFormat, terminalSafe } from './pretty.ts';
import {
  type Delivery,
  type Done,
  type OutputWorld,
  PUMP_DEFAULTS,
  Pump,
  type Stretch,
} from './pump.ts';
import { recordLines } from './record-lines.ts';
import { type Additions, type EventFormat, NdjsonFormat } from './render.ts';

export interface StdoutOutputOptions extends Additions {
  readonly name: string;
  /** `auto`: `pretty` on a terminal, else `ndjson`. */
  readonly format: 'auto' | 'ndjson' | 'pretty';
  /** Long lines that came in fragments are joined. Undefined: they are shown as they came. */
  readonly join_partial?: JoinLimits | undefined;
  /** Default: LIMITS. */
  readonly retry_min_ms?: number;
  readonly retry_max_ms?: number;
}

/** Where lines go: `process.stdout`, as a rule. */
export type LineStream = Writable & { readonly isTTY?: boolean };

/** A person looks on. */
const INTERVAL_MS = 20;

/**
 * Writes events as lines to a stream that it is given and does not close. The cursor
 * moves once the stream took the lines, which for a pipe or a file means the kernel:
 * at least once, and whoever reads the stream sees the lines of the last moment again
 * after a crash. A reader that does not read holds up this output and nothing else.
 *
 * On a terminal control characters are escaped in either format.
 */
export function stdoutOutput(
  options: StdoutOutputOptions,
  source: OutputSource,
  stream: LineStream,
  world: OutputWorld,
): Pump {
  const pump_options = {
    ...PUMP_DEFAULTS,
    name: options.name,
    type: 'stdout',
    interval_ms: INTERVAL_MS,
    retry_min_ms: options.retry_min_ms ?? LIMITS.retry_min_ms,
    retry_max_ms: options.retry_max_ms ?? LIMITS.retry_max_ms,
  };
  const joined = joinedSource(source, { limits: options.join_partial, clock: world.clock });
  return new Pump(pump_options, joined, new StreamDelivery(options, joined, stream), world);
}

class StreamDelivery implements Delivery {
  readonly #source: OutputSource;
  readonly #stream: LineStream;
  readonly #format: EventFormat;
  #failure: unknown;
  /** Keeps an EPIPE between two writes from ending the process. */
  readonly #onError = (error: unknown): void => {
    this.#failure = error;
  };

  constructor(options: StdoutOutputOptions, source: OutputSource, stream: LineStream) {
    this.#source = source;
    this.#stream = stream;
    this.#format = formatFor(options, stream.isTTY === true);
    stream.on('error', this.#onError);
  }

  async deliver({ records, next_seq }: Stretch, done: Done, signal: AbortSignal): Promise<void> {
    const { cursor } = this.#source;
    let events = 0;
    let bytes = 0;
    for (const record of records) {
      for await (const lines of recordLines(record, this.#format)) {
        await this.#write(lines.text, signal);
        events += lines.events;
        bytes += lines.text.length;
      }
    }
    await cursor.save(Math.max(next_seq, cursor.seq), cursor.window);
    done(events, bytes);
  }

  async close(): Promise<void> {
    this.#stream.off('error', this.#onError);
  }

  details(): Readonly<Record<string, number | string>> {
    return {};
  }

  /** Resolves when the stream has passed the text on, which is what a full pipe delays. */
  #write(text: Buffer, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (this.#stream.destroyed) throw this.#broken(this.#failure);
      const onAbort = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort);
      this.#stream.write(text, (error) => {
        signal.removeEventListener('abort', onAbort);
        if (error) reject(this.#broken(error));
        else resolve();
      });
    });
  }

  #broken(cause: unknown): LogboomError {
    const what = cause === undefined ? 'the stream is closed' : messageOf(cause);
    return new LogboomError('LB_OUTPUT', what, {
      where: 'stdout',
      hint: 'Nobody reads it any more; events wait in the journal.',
      cause,
    });
  }
}

function formatFor(options: StdoutOutputOptions, terminal: boolean): EventFormat {
  const pretty = options.format === 'pretty' || (options.format === 'auto' && terminal);
  if (pretty) return new PrettyFormat(options);
  const ndjson = new NdjsonFormat(options);
  return terminal ? terminalSafe(ndjson) : ndjson;
}

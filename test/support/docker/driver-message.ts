import { mapHeader, str } from '../../../src/protocol/msgpack-write.ts';
import { type DriverOptions, driverBody, type Entry } from '../docker-entries.ts';

export interface DriverMessage extends DriverOptions {
  readonly tag?: string;
  /** The id that an ack is asked for with. */
  readonly chunk?: Buffer;
}

/** `[tag, time, record, option]`, as Docker's fluentd driver sends a line (formats.md 3.2). */
export function driverMessage(
  entry: Entry,
  { tag = 'web', chunk, ...rest }: DriverMessage,
): Buffer {
  const option =
    chunk === undefined ? mapHeader(0) : Buffer.concat([mapHeader(1), str('chunk'), str(chunk)]);
  return Buffer.concat([Buffer.of(0x94), str(tag), driverBody(entry, rest), option]);
}

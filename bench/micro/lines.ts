import { Lane } from '../../src/inputs/docker/merge/reconcile.ts';
import { DriverRecord } from '../../src/inputs/docker/records/driver-record.ts';
import { StreamedLine, streamKey } from '../../src/inputs/docker/records/streamed-line.ts';
import { CriFormat } from '../../src/inputs/logfile/formats/cri.ts';
import { JsonFileFormat } from '../../src/inputs/logfile/formats/json-file.ts';
import { LocalFormat } from '../../src/inputs/logfile/formats/local.ts';
import { lineKey } from '../../src/inputs/logfile/line-key.ts';
import { createLogLine, type LineFormat, type LogLine } from '../../src/inputs/logfile/types.ts';
import type { RecordBuilder } from '../../src/journal/types.ts';
import {
  driverBody,
  type Entry,
  jsonFileLine,
  localFrame,
} from '../../test/support/docker-entries.ts';
import type { Micro } from './measure.ts';

/**
 * What one log line costs: found in its file, parsed, unescaped and written as the entry
 * that the fluentd driver would have sent; and what the merge of stream and cache adds.
 */

const LINES = 2000;
const LINE_BYTES = 150;
const CONTAINER_ID = '7175395e0'.padEnd(64, '0');

/** As web servers log. */
const PLAIN = 'GET /api/v1/things?page=12 200 14ms user=anna agent=x '.padEnd(LINE_BYTES, '.');
/** JSON: a quote every few bytes. */
const QUOTED =
  `{"level":"info","ts":1795413617.95,"caller":"http/server.go:211","msg":"request done","status":200,"path":"/api/v1/things"}`.padEnd(
    LINE_BYTES,
    ' ',
  );

const entryOf = (log: string, index: number): Entry => ({
  source: 'stdout',
  log: Buffer.from(log),
  time_s: 1795413617 + index,
  time_ns: 952463603,
});

const fileOf = (encode: (entry: Entry) => Buffer, log: string): Buffer =>
  Buffer.concat(Array.from({ length: LINES }, (_, index) => encode(entryOf(log, index))));

/** A record that begins anew when it is full, as sealed ones do. */
class EndlessBuilder implements RecordBuilder {
  readonly commit = 0;
  readonly tag = Buffer.from('bench');
  readonly buffer = Buffer.alloc(1024 * 1024);
  #at = 0;

  reserve(bytes: number): number {
    if (this.#at + bytes > this.buffer.length) this.#at = 0;
    const at = this.#at;
    this.#at += bytes;
    return at;
  }

  note(): void {}
}

function forEachLine(format: LineFormat, file: Buffer, line: LogLine, use: () => void): void {
  for (let at = 0; at < file.length; ) {
    const end = format.entryEnd(file, at, file.length);
    if (!format.parse(file, at, end, line)) throw new Error(`${format.name}: no line at ${at}`);
    use();
    at = end;
  }
}

function lineFormat(name: string, format: LineFormat, file: Buffer): Micro {
  return {
    name: `${name}: a line of ${LINE_BYTES} B, parsed and written`,
    async begin() {
      const line = createLogLine();
      const builder = new EndlessBuilder();
      const record = new DriverRecord({
        container_id: CONTAINER_ID,
        container_name: '/bench',
        tag: 'bench',
        extra: {},
        sub_second: true,
      });
      const write = (): void => record.write(line, builder);
      return { ops_count: LINES, work: () => forEachLine(format, file, line, write) };
    },
  };
}

function criLine({ log }: Entry): Buffer {
  return Buffer.from(`2026-11-23T06:00:17.952463603Z stdout F ${log.toString()}\n`);
}

const cacheLine: Micro = {
  name: 'merge: a line of the cache, parsed, its key',
  async begin() {
    const line = createLogLine();
    const file = fileOf(localFrame, PLAIN);
    const format = new LocalFormat();
    let sum = 0;
    const keyed = (): void => {
      sum += lineKey(line, true);
    };
    const work = (): void => {
      forEachLine(format, file, line, keyed);
      if (!Number.isFinite(sum)) throw new Error('keys are numbers');
    };
    return { ops_count: LINES, work };
  },
};

const streamLine: Micro = {
  name: 'merge: a line on the stream, its fields and key',
  async begin() {
    const streamed = new StreamedLine();
    const body = driverBody(entryOf(PLAIN, 0), { container_id: CONTAINER_ID, sub_second: true });
    let sum = 0;
    const work = (): void => {
      for (let i = 0; i < LINES; i += 1) {
        if (!streamed.read(body, 0, body.length)) throw new Error('no line');
        sum += streamKey(streamed);
      }
      if (!Number.isFinite(sum)) throw new Error('keys are numbers');
    };
    return { ops_count: LINES, work };
  },
};

const reconcile: Micro = {
  name: 'merge: a line of both, reconciled',
  async begin() {
    const lane = new Lane(undefined);
    let next_key = 1;
    const work = (): void => {
      for (let key = next_key; key < next_key + LINES; key += 1) lane.stream(key);
      for (let key = next_key; key < next_key + LINES; key += 1) {
        if (!lane.match(key)) throw new Error('a line is not matched');
      }
      next_key += LINES;
      lane.takeChange();
    };
    return { ops_count: LINES, work };
  },
};

const withAttributes = (entry: Entry): Buffer => jsonFileLine(entry, '{"com.example.app":"web"}');

export const LINES_OF_LOGS: readonly Micro[] = [
  lineFormat('json-file', new JsonFileFormat(), fileOf(jsonFileLine, PLAIN)),
  lineFormat('json-file, attributes', new JsonFileFormat(), fileOf(withAttributes, PLAIN)),
  lineFormat('json-file, JSON inside', new JsonFileFormat(), fileOf(jsonFileLine, QUOTED)),
  lineFormat('local', new LocalFormat(), fileOf(localFrame, PLAIN)),
  lineFormat('cri', new CriFormat(), fileOf(criLine, PLAIN)),
  cacheLine,
  streamLine,
  reconcile,
];

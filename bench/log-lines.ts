/**
 * What one line costs: found in its file, parsed, unescaped and written as the entry that
 * the fluentd driver would have sent; and what the merge adds, keys of lines in the cache
 * and on the stream.
 *
 *     npx tsx bench/log-lines.ts
 *
 * The budget (DESIGN 9) is 1.5 times the CPU of a Message-mode event for the whole way of a
 * json-file line, reading and commit included: about 1.4 us, of which this is to be a third.
 */
import { DriverRecord } from '../src/inputs/docker/records/driver-record.ts';
import { StreamedLine, streamKey } from '../src/inputs/docker/records/streamed-line.ts';
import { CriFormat } from '../src/inputs/logfile/formats/cri.ts';
import { JsonFileFormat } from '../src/inputs/logfile/formats/json-file.ts';
import { LocalFormat } from '../src/inputs/logfile/formats/local.ts';
import { lineKey } from '../src/inputs/logfile/line-key.ts';
import { createLogLine, type LineFormat, type LogLine } from '../src/inputs/logfile/types.ts';
import type { RecordBuilder } from '../src/journal/types.ts';
import {
  driverBody,
  type Entry,
  jsonFileLine,
  localFrame,
} from '../test/support/docker-entries.ts';

const LINES = 2000;
const ROUNDS = 50;
const RUNS = 8;
const CONTAINER_ID = '7175395e0'.padEnd(64, '0');

/** 150 bytes, as web servers log. */
const PLAIN = 'GET /api/v1/things?page=12 200 14ms user=anna agent="x" '
  .replaceAll('"', '')
  .padEnd(150, '.');
/** 150 bytes of JSON: a quote every few bytes. */
const QUOTED =
  `{"level":"info","ts":1795413617.95,"caller":"http/server.go:211","msg":"request done","status":200,"path":"/api/v1/things"}`.padEnd(
    150,
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
  events = 0;

  reserve(bytes: number): number {
    if (this.#at + bytes > this.buffer.length) this.#at = 0;
    const at = this.#at;
    this.#at += bytes;
    return at;
  }

  note(events: number): void {
    this.events += events;
  }
}

/** The fastest of some runs: other load on the machine only ever adds. */
function measure(name: string, round: () => void): void {
  let best_us = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS; run += 1) {
    const before = process.cpuUsage();
    for (let i = 0; i < ROUNDS; i += 1) round();
    const { user, system } = process.cpuUsage(before);
    best_us = Math.min(best_us, user + system);
  }
  const line_ns = (best_us * 1000) / (ROUNDS * LINES);
  console.log(`${name.padEnd(48)}${line_ns.toFixed(0).padStart(6)} ns per line`);
}

function forEachLine(format: LineFormat, file: Buffer, line: LogLine, use: () => void): void {
  for (let at = 0; at < file.length; ) {
    const end = format.entryEnd(file, at, file.length);
    if (!format.parse(file, at, end, line)) throw new Error(`${format.name}: no line at ${at}`);
    use();
    at = end;
  }
}

function measureFormat(name: string, format: LineFormat, file: Buffer): void {
  const line = createLogLine();
  const builder = new EndlessBuilder();
  const record = new DriverRecord({
    container_id: CONTAINER_ID,
    container_name: '/bench',
    tag: 'bench',
    extra: {},
    sub_second: true,
  });
  const nothing = (): void => {};
  measure(`${name}: parse`, () => forEachLine(format, file, line, nothing));
  const write = (): void => record.write(line, builder);
  measure(`${name}: parse, write`, () => forEachLine(format, file, line, write));
}

function criLine({ log }: Entry): Buffer {
  return Buffer.from(`2026-11-23T06:00:17.952463603Z stdout F ${log.toString()}\n`);
}

function measureKeys(): void {
  const line = createLogLine();
  const bytes = Buffer.from(PLAIN);
  Object.assign(line, { buf: bytes, log_end: bytes.length, time_s: 1795413617 });
  let sum = 0;
  measure('key of a line in the cache', () => {
    for (let i = 0; i < LINES; i += 1) {
      line.time_ns = i;
      sum += lineKey(line, true);
    }
  });
  const streamed = new StreamedLine();
  const body = driverBody(entryOf(PLAIN, 0), { container_id: CONTAINER_ID, sub_second: true });
  measure('fields of a line on the stream', () => {
    for (let i = 0; i < LINES; i += 1) {
      if (!streamed.read(body, 0, body.length)) throw new Error('no line');
      sum += streamed.log_start;
    }
  });
  measure('fields and key of a line on the stream', () => {
    for (let i = 0; i < LINES; i += 1) {
      if (streamed.read(body, 0, body.length)) sum += streamKey(streamed);
    }
  });
  if (!Number.isFinite(sum)) throw new Error('keys are numbers');
}

const withAttrs = (entry: Entry): Buffer => jsonFileLine(entry, '{"com.example.app":"web"}');

measureFormat('json-file', new JsonFileFormat(), fileOf(jsonFileLine, PLAIN));
measureFormat('json-file, attributes', new JsonFileFormat(), fileOf(withAttrs, PLAIN));
measureFormat('json-file, JSON inside', new JsonFileFormat(), fileOf(jsonFileLine, QUOTED));
measureFormat('local', new LocalFormat(), fileOf(localFrame, PLAIN));
measureFormat('cri', new CriFormat(), fileOf(criLine, PLAIN));
measureKeys();

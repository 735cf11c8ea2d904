import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { decode } from '@msgpack/msgpack';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CODEC } from '../../../src/protocol/codec.ts';
import { numbered } from '../../support/entries.ts';
import { FaultFs, systemError } from '../../support/fault-fs.ts';
import type { SinkChunk } from '../../support/forward-sink.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/wait.ts';
import { optionsFor, Rig, range } from './output-under-test.ts';

let rig: Rig;
let dir: TempDir;

beforeEach(async () => {
  rig = new Rig();
  dir = await tempDir('bad-chunks');
});
afterEach(async () => {
  await rig.dispose();
  await dir.remove();
});

const retry = { ...optionsFor([]).retry, suspect_after_ms: 50 };
const options = () => ({ retry, dead_letter: { dir: dir.path, max_bytes: 1024 * 1024 } });

const has = (chunk: SinkChunk, n: number): boolean =>
  chunk.entries.some(({ record }) => record['n'] === n);

interface DeadLetterLine {
  readonly reason: string;
  readonly error: string;
  readonly seq: number;
  readonly index: number;
  readonly event: { readonly tag: string; readonly record: { readonly n: number } };
  readonly entry: string;
}

async function deadLetters(): Promise<DeadLetterLine[]> {
  const names = (await readdir(dir.path)).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(dir.path, name), 'utf8')));
  return texts
    .join('')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as DeadLetterLine);
}

describe('an event that the upstream cannot take', () => {
  it.each([[0], [37], [99]])(
    'is found among a hundred and put into the dead letter; all others arrive, in order (%i)',
    async (poison) => {
      const sink = await rig.sink();
      sink.react = (chunk) => (has(chunk, poison) ? 'close' : 'ack');
      rig.journal.append({ body: numbered(0, 100), count: 100 });
      const output = await rig.output([sink], options());
      // What comes later shows that the upstream takes others of this tag.
      let next = 100;
      await until('the suspect is convicted', () => {
        rig.journal.append({ body: numbered(next++, 1) });
        return output.ledger.total('dead_letter') === 1;
      });
      await output.drained();
      expect(sink.values('n')).toEqual(range(0, next).filter((n) => n !== poison));
      const [letter, ...others] = await deadLetters();
      expect(others).toEqual([]);
      expect(letter).toMatchObject({
        reason: 'poison',
        seq: 1,
        index: poison,
        event: { tag: 'app', record: { n: poison } },
      });
      expect(letter?.error).toContain('closed the connection');
      expect(decode(Buffer.from(letter?.entry ?? '', 'base64'))).toMatchObject([{}, { n: poison }]);
    },
  );

  it('does not hold back other tags meanwhile', async () => {
    const sink = await rig.sink();
    sink.react = (chunk) => (chunk.tag === 'bad' ? 'close' : 'ack');
    rig.journal.append({ tag: 'bad', body: numbered(0, 1) });
    const output = await rig.output([sink], options());
    for (let i = 0; i < 50; i++) {
      rig.journal.append({ tag: 'good', body: numbered(i, 1) });
      await until(`event ${i}`, () => sink.values('n', 'good').length === i + 1, {
        interval_ms: 2,
      });
    }
    expect(output.ledger.total('dead_letter')).toBe(0);
    await until('the last ack', () => output.output.stats().events_out === 50);
    expect(output.output.stats().cursor_seq).toBe(1);
  });

  it('is found too when the upstream does not close, but never acks it', async () => {
    const sink = await rig.sink();
    sink.react = (chunk) => (has(chunk, 2) ? 'hold' : 'ack');
    rig.journal.append({ body: numbered(0, 4), count: 4 });
    const output = await rig.output([sink], { ...options(), ack_timeout_ms: 50 });
    let next = 4;
    await until('the suspect is convicted', () => {
      rig.journal.append({ body: numbered(next++, 1) });
      return output.ledger.total('dead_letter') === 1;
    });
    await output.drained();
    expect((await deadLetters()).map(({ event }) => event.record.n)).toEqual([2]);
  });
});

describe('a compressed chunk that cannot be inflated', () => {
  const broken = { codec: CODEC.gzip, body: Buffer.from('1f8b08000000000000ff', 'hex'), count: 7 };

  it('goes to the dead letter as it is stored, and the rest goes on', async () => {
    const sink = await rig.sink();
    rig.journal.append(broken, { body: numbered(0, 1) });
    const output = await rig.output([sink], options());
    await output.drained();
    expect(sink.values('n')).toEqual([0]);
    const payload = broken.body.toString('base64');
    expect(await deadLetters()).toMatchObject([
      { reason: 'unreadable', seq: 1, codec: 'gzip', payload },
    ]);
    expect(output.ledger.toJSON()).toEqual({ dead_letter: { main: 7 } });
  });

  it('is not passed over while the dead letter cannot be written', async () => {
    const sink = await rig.sink();
    rig.journal.append(broken, { body: numbered(0, 1) });
    const output = await rig.output([sink], {
      dead_letter: { dir: '/dev/null/x', max_bytes: 1000 },
    });
    await until('the trouble', () =>
      output.log.said('error').some((line) => /dead letter cannot be written.*ENOTDIR/.test(line)),
    );
    expect(sink.chunks).toEqual([]);
    expect(rig.journal.saved.seq).toBe(1);
  });
});

describe('an upstream that is broken for everybody', () => {
  it('that closes every connection never makes a dead letter, and gets everything once it is well', async () => {
    const sink = await rig.sink();
    sink.react = () => 'close';
    rig.journal.append({ body: numbered(0, 64), count: 64 });
    const output = await rig.output([sink], options());
    let next = 64;
    await until('the first event was alone for long', () => {
      rig.journal.append({ body: numbered(next++, 1) });
      return sink.chunks.filter(({ entries }) => entries.length === 1).length > 20;
    });
    sink.react = () => 'ack';
    await output.drained();
    expect(output.ledger.toJSON()).toEqual({});
    expect((sink.values('n') as number[]).toSorted((a, b) => a - b)).toEqual(range(0, next));
    expect(await readdir(dir.path)).toEqual([]);
  });

  it('that refuses connections does not have chunks split', async () => {
    const sink = await rig.sink();
    rig.journal.append({ body: numbered(0, 64), count: 64 });
    await sink.stop();
    const output = await rig.output([sink], options());
    await until('it was tried often', () => output.log.said('warn').length >= 10);
    await sink.start();
    await output.drained();
    expect(sink.chunks).toHaveLength(1);
  });
});

describe('retry.max_age', () => {
  it('puts what is too old into the dead letter while the upstream is down, and sends the rest when it is up', async () => {
    const sink = await rig.sink();
    await sink.stop();
    rig.journal.append({ body: numbered(0, 10), count: 10 });
    const output = await rig.output([sink], { ...options(), retry: { ...retry, max_age_ms: 300 } });
    await until('it is given up', () => output.ledger.total('dead_letter') === 10);
    await output.drained();
    expect((await deadLetters()).map(({ reason, event }) => [reason, event.record.n])).toEqual(
      range(0, 10).map((n) => ['max_age', n]),
    );
    await sink.start();
    // Until then what comes is given up too: the test journal's records are all years old.
    await until('the upstream is up', () => output.output.stats().state === 'running');
    rig.journal.append({ body: numbered(10, 1) });
    await output.drained();
    expect(sink.values('n')).toEqual([10]);
  });

  it('has many chunks wait for a dead letter that cannot be written, and Node warns of none', async () => {
    const warnings: string[] = [];
    const note = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', note);
    try {
      const sink = await rig.sink();
      await sink.stop();
      for (let i = 0; i < 20; i++) rig.journal.append({ tag: `t${i}`, body: numbered(i, 1) });
      const fs = new FaultFs();
      fs.fault = () => systemError('ENOSPC');
      const waiting = { ...retry, delay_min_ms: 60_000, delay_max_ms: 60_000, max_age_ms: 1 };
      await rig.output([sink], { ...options(), retry: waiting }, { fs });
      await until('each was tried', () => fs.calls.length >= 20);
      // Warnings come a turn of the loop later.
      await setImmediate();
      expect(warnings).toEqual([]);
    } finally {
      process.off('warning', note);
    }
  });
});

describe('drop_oldest', () => {
  it('cancels what was planned before the new place, and goes on behind it', async () => {
    const sink = await rig.sink();
    await sink.stop();
    for (let i = 0; i < 10; i++) rig.journal.append({ tag: `t${i}`, body: numbered(i, 1) });
    const output = await rig.output([sink], options());
    await until('all are planned', () => output.output.stats().details['chunks_pending'] === 10);
    rig.journal.moveCursor(6);
    await sink.start();
    await output.drained();
    expect(sink.values('n')).toEqual([5, 6, 7, 8, 9]);
  });
});

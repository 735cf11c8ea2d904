// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the syntax under test.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderDocument } from '../../src/config/render.ts';
import type { ConfigDocument, OutputDocument } from '../../src/config/schema.ts';
import { documentOf, parse } from './parsing.ts';

const MiB = 1024 ** 2;

const anyText = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
const fieldName = anyText.filter((name) => name !== '__proto__');
const size = (min: number, max: number) => fc.integer({ min, max });
const duration = (min: number, max: number) => fc.integer({ min, max });
const orOff = (quantity: fc.Arbitrary<number>) => fc.oneof(quantity, fc.constant('off' as const));

const common = {
  match: fc.constantFrom('**', 'app.*', 'a.{b,c} d.**', 'x y'),
  start_at: fc.constantFrom('newest' as const, 'oldest' as const),
  max_lag: fc.constant('off' as const),
  add: fc.dictionary(fieldName, fc.oneof(anyText, fc.integer(), fc.boolean()), { maxKeys: 3 }),
  tag_prefix: anyText,
  join_partial: fc.oneof(
    fc.boolean(),
    fc.record({ max_size: size(64 * 1024, 4 * MiB), timeout: duration(100, 600_000) }),
  ),
};

const forward: fc.Arbitrary<OutputDocument> = fc.record({
  type: fc.constant('forward' as const),
  ...common,
  servers: fc.constantFrom(
    ['tcp://a:1'],
    ['tls://a', { url: 'tcp://[::1]:5', weight: 3, standby: true }],
  ),
  kind: fc.constantFrom('fluentd' as const, 'logboom' as const),
  balance: fc.constantFrom('failover' as const, 'weighted' as const),
  ack: fc.boolean(),
  ack_timeout: duration(1_000, 3_600_000),
  connect_timeout: duration(100, 600_000),
  connection_max_age: orOff(duration(1_000, 1e9)),
  metadata_key: anyText,
  compress: fc.constantFrom('keep' as const, 'off' as const, 'gzip' as const, 'zstd' as const),
  chunk_size: size(1 * MiB, 4 * MiB),
  window_size: size(4 * MiB, 256 * MiB),
  windows_in_flight: fc.integer({ min: 1, max: 64 }),
  auth: fc.record({ shared_key: anyText, username: anyText, password: anyText }),
  retry: fc.record({
    min: duration(10, 1_000),
    max: duration(1_000, 86_400_000),
    max_age: orOff(duration(10_000, 1e9)),
    failover_after: duration(0, 86_400_000),
  }),
  dead_letter: fc.record({ max_size: size(1 * MiB, Number.MAX_SAFE_INTEGER) }),
});

const file: fc.Arbitrary<OutputDocument> = fc.record({
  type: fc.constant('file' as const),
  ...common,
  path: fc.constantFrom('events.ndjson', '/var/log/events', 'a b/${date}/$$'),
  rotate: fc.record({
    size: orOff(size(64 * 1024, 1e12)),
    every: orOff(duration(60_000, 1e10)),
    keep: fc.integer({ min: 1, max: 100_000 }),
  }),
  compress: fc.constantFrom('gzip' as const, 'off' as const),
  mode: fc.constantFrom('0640', '0600', '0777'),
});

/** Defaults everywhere, and anything where the schema is hardest to write down and read back. */
const documents: fc.Arbitrary<ConfigDocument> = fc
  .record({
    first: forward,
    second: file,
    max_size: size(128 * MiB, 1e15),
    linger: duration(0, 10_000),
    token: anyText,
    dir: fc.constantFrom(
      'data',
      '/var/lib/logboom',
      '~',
      'null',
      'true',
      '0640',
      '1e3',
      '#x',
      '- a',
    ),
  })
  .map(({ first, second, max_size, linger, token, dir }) => {
    const base = documentOf();
    return {
      ...base,
      journal: { ...base.journal, dir, max_size, linger },
      outputs: { first, second },
      status: { ...base.status, token },
    };
  });

describe('a configuration that is rendered', () => {
  it('reads back as itself', () => {
    fc.assert(
      fc.property(documents, (document) => {
        const text = renderDocument(document, 'shown');
        const result = parse(text);
        expect(result.ok ? result.document : result.problems).toEqual(document);
      }),
      { numRuns: 60 },
    );
  });

  it('with the defaults only is a file to begin with', () => {
    const text = renderDocument(documentOf(), 'hidden');
    expect(documentOf(text)).toEqual(documentOf());
    expect(text).toContain('max_size: 8GiB\n');
    expect(text).toContain('mode: "0640"\n');
  });
});

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the syntax under test.
import { describe, expect, it } from 'vitest';
import { configReference } from '../../src/config/reference.ts';
import { configJsonSchema, type SchemaNode } from '../../src/config/schema-tree.ts';
import { LIMITS } from '../../src/limits.ts';
import { parsed, problemsOf } from './parsing.ts';

describe('joining long lines', () => {
  const joining = (value: string): unknown =>
    parsed(`outputs: {a: {type: stdout, join_partial: ${value}}}\n`).outputs[0]?.join_partial;

  it('is off unless it is asked for', () => {
    expect(parsed('outputs: {a: {type: stdout}}\n').outputs[0]?.join_partial).toBeUndefined();
    expect(joining('false')).toBeUndefined();
    expect(joining('"off"')).toBeUndefined();
  });

  it('is asked for with true, or with its limits', () => {
    const defaults = { max_bytes: LIMITS.join_max_bytes, timeout_ms: LIMITS.join_timeout_ms };
    expect(joining('true')).toEqual(defaults);
    expect(joining('{}')).toEqual(defaults);
    expect(joining('{max_size: 256KiB}')).toEqual({ ...defaults, max_bytes: 256 * 1024 });
    expect(joining('{timeout: 30s}')).toEqual({ ...defaults, timeout_ms: 30_000 });
  });

  it('has its mistakes named', () => {
    const problems = (value: string): string[] =>
      problemsOf(`outputs: {a: {type: stdout, join_partial: ${value}}}\n`);
    expect(problems('{timeout: 5}')).toEqual([
      'logboom.yaml:1:53 outputs.a.join_partial.timeout: expected a duration with its unit from 100ms up to 10m, found the number 5: a unit is missing | Did you mean 5s?',
    ]);
    expect(problems('{size: 1MiB}')[0]).toContain('There are max_size, timeout.');
    expect(problems('perhaps')[0]).toContain('expected true or false');
  });
});

describe('with nothing given', () => {
  it('logboom listens on loopback, keeps a journal, and writes files beside it', () => {
    expect(parsed()).toMatchObject({
      inputs: { listeners: [{ url: 'tcp://127.0.0.1:24224', udp_heartbeat: true }] },
      docker: { root: undefined, api_socket: undefined, addresses: [], start_at: 'newest' },
      journal: { dir: '/srv/logboom-data', on_full: 'block', sync: 'commit' },
      outputs: [{ name: 'events', type: 'file', path: '/srv/logboom-events/events.ndjson' }],
      status: { address: { host: '127.0.0.1', port: 24220 }, token: undefined },
      log: { level: 'info', format: 'auto' },
    });
  });

  it('events are also shown on a terminal, without a place kept for them', () => {
    const { outputs } = parsed(undefined, { terminal: true });
    expect(outputs).toMatchObject([
      { name: 'events' },
      { name: 'terminal', type: 'stdout', transient: true },
    ]);
  });

  it('an empty file and empty sections mean the same', () => {
    const text = '# nothing yet\ninputs:\ndocker:\njournal: {}\nstatus:\nlog:\nshutdown:\n';
    expect(parsed(text)).toEqual(parsed());
    expect(parsed('')).toEqual(parsed());
  });

  it('every limit is the one in limits.ts', () => {
    const { inputs, journal, outputs, shutdown_timeout_ms } = parsed(undefined, {
      flags: { to: ['tcp://a'] },
    });
    expect(inputs.limits).toEqual({
      connections_max: LIMITS.connections_max,
      message_max_bytes: LIMITS.message_max_bytes,
      event_max_bytes: LIMITS.event_max_bytes,
      inflated_max_bytes: LIMITS.inflated_max_bytes,
      nesting_max_levels: LIMITS.nesting_max_levels,
      handshake_timeout_ms: LIMITS.handshake_timeout_ms,
    });
    expect(inputs.dedup).toEqual({
      sender_max_ids: LIMITS.dedup_sender_max_ids,
      max_ids: LIMITS.dedup_max_ids,
      max_senders: LIMITS.dedup_max_senders,
    });
    expect(journal).toMatchObject({
      max_bytes: LIMITS.journal_max_bytes,
      segment_max_bytes: LIMITS.segment_max_bytes,
      linger_ms: LIMITS.linger_max_ms,
    });
    expect(outputs[0]).toMatchObject({
      chunk_max_bytes: LIMITS.chunk_max_bytes,
      window_max_bytes: LIMITS.window_max_bytes,
      windows_in_flight_max: LIMITS.windows_in_flight_max,
      ack_timeout_ms: LIMITS.ack_timeout_ms,
      connect_timeout_ms: LIMITS.connect_timeout_ms,
      retry: {
        delay_min_ms: LIMITS.retry_min_ms,
        delay_max_ms: LIMITS.retry_max_ms,
        failover_after_ms: LIMITS.failover_after_ms,
      },
      dead_letter: {
        dir: '/srv/logboom-dead-letter/upstream',
        max_bytes: LIMITS.dead_letter_max_bytes,
      },
    });
    expect(shutdown_timeout_ms).toBe(LIMITS.shutdown_timeout_ms);
  });
});

describe('the JSON Schema', () => {
  const leaves = [...keysOf(configJsonSchema(), '')];

  it('is of draft 7 and describes every key', () => {
    expect(configJsonSchema()).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
    });
    const silent = leaves.filter(([, node]) => (node.description ?? '') === '');
    expect(silent.map(([key]) => key)).toEqual([]);
    expect(leaves.length).toBeGreaterThan(80);
  });

  it('allows no unknown keys in any section', () => {
    const open = leaves.filter(
      ([, node]) => node.properties !== undefined && node.additionalProperties !== false,
    );
    expect(open.map(([key]) => key)).toEqual([]);
  });

  it('has patterns that its own defaults match', () => {
    for (const [key, node] of leaves) {
      const { pattern } = node as { pattern?: string };
      if (pattern === undefined || typeof node.default !== 'string') continue;
      expect([key, node.default, new RegExp(pattern).test(node.default)]).toEqual([
        key,
        node.default,
        true,
      ]);
    }
  });

  it.each([
    ['journal.max_size', ['8GiB', '1.5 TB', '${SIZE}', '512B'], ['8', '8gib', 'big']],
    ['journal.linger', ['20ms', '1m30s', '${LINGER}'], ['20', '1 hour']],
  ])('has a pattern for %s that accepts what the loader accepts', (key, good, bad) => {
    const node = leaves.find(([name]) => name === key)?.[1] as { pattern: string };
    const pattern = new RegExp(node.pattern);
    expect(good.filter((text) => !pattern.test(text))).toEqual([]);
    expect(bad.filter((text) => pattern.test(text))).toEqual([]);
  });
});

describe('the reference', () => {
  const reference = configReference();

  it('has a row for every key', () => {
    const rows = reference.split('\n').filter((line) => line.startsWith('| `'));
    const keys = rows.map((row) => row.split('`')[1]);
    for (const [key, node] of keysOf(configJsonSchema(), '')) {
      if (!key.includes('.') || key.endsWith('.type')) continue;
      expect([key, keys.includes(key), node.description]).toEqual([key, true, node.description]);
    }
  });

  it('states defaults with their units, and what is required', () => {
    expect(reference).toContain(
      '| `journal.max_size` | `8GiB` | The most that the journal may hold. From 64MiB. |',
    );
    expect(reference).toContain('| `inputs.forward[].tls.cert` | required |');
  });
});

/** Every key of the schema with its node, as the reference spells it. */
function* keysOf(node: SchemaNode, prefix: string): Generator<[string, SchemaNode]> {
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const key = prefix === '' ? name : `${prefix}.${name}`;
    yield [key, child];
    yield* keysInside(child, key);
  }
}

function* keysInside(node: SchemaNode, key: string): Generator<[string, SchemaNode]> {
  if (node.items !== undefined) yield* keysInside(node.items, `${key}[]`);
  for (const each of node.anyOf ?? []) yield* keysOf(each, key);
  const named = node.additionalProperties;
  if (named !== undefined && named !== false) {
    for (const each of named.oneOf ?? []) yield* keysOf(each, `${key}.NAME`);
  }
  yield* keysOf(node, key);
}

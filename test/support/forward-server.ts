import { CHUNK_SPACE, ChunkDedup } from '../../src/inputs/forward/dedup.ts';
import {
  FORWARD_LIMITS,
  type ForwardLimits,
  type ListenerOptions,
} from '../../src/inputs/forward/options.ts';
import { type ForwardInputDeps, ForwardServer } from '../../src/inputs/forward/server.ts';
import { systemClock } from '../../src/sys/clock.ts';
import { DropLedger } from '../../src/sys/ledger.ts';
import { MemoryJournal } from './memory-journal.ts';
import { RawClient } from './raw-client.ts';
import { RecordingLog } from './recording-log.ts';
import { tempDir } from './temp-dir.ts';

export interface ServerSetup {
  readonly listeners?: readonly ListenerOptions[];
  readonly limits?: Partial<ForwardLimits>;
  readonly deps?: Partial<ForwardInputDeps>;
  /** False: commits become durable when the test calls `journal.commit()`. */
  readonly automatic?: boolean;
  /** Chunks that are held already, as after a restart. */
  readonly dedup?: ChunkDedup;
}

/** A Forward server on a loopback port of its own, over a journal in memory. */
export interface TestServer {
  readonly server: ForwardServer;
  readonly journal: MemoryJournal;
  readonly dedup: ChunkDedup;
  readonly ledger: DropLedger;
  readonly log: RecordingLog;
  readonly port: number;
  readonly spool_dir: string;
  readonly connect: () => Promise<RawClient>;
  readonly close: () => Promise<void>;
}

export const LOOPBACK: ListenerOptions = { address: { kind: 'tcp', host: '127.0.0.1', port: 0 } };

export async function startServer(setup: ServerSetup = {}): Promise<TestServer> {
  const spool = await tempDir('spool');
  const dedup = setup.dedup ?? new ChunkDedup();
  const journal = new MemoryJournal({
    automatic: setup.automatic ?? true,
    spaces: [[CHUNK_SPACE, dedup]],
  });
  const ledger = new DropLedger();
  const log = new RecordingLog();
  const server = new ForwardServer(
    {
      listeners: setup.listeners ?? [LOOPBACK],
      spool_dir: spool.path,
      limits: { ...FORWARD_LIMITS, ...setup.limits },
    },
    { journal, dedup, ledger, log, clock: systemClock, ...setup.deps },
  );
  const clients: RawClient[] = [];
  try {
    await server.start();
  } catch (error) {
    await spool.remove();
    throw error;
  }
  const port = Number(/:(\d+)$/.exec(server.urls[0] ?? '')?.[1] ?? 0);
  return {
    server,
    journal,
    dedup,
    ledger,
    log,
    port,
    spool_dir: spool.path,
    async connect() {
      const client = await RawClient.connect({ host: '127.0.0.1', port });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.destroy();
      await server.abort();
      await spool.remove();
    },
  };
}

/** The 24 bytes of `AAAA...==` with another first letter: ids as Docker's library makes them. */
export const chunkId = (letter: string): Buffer => Buffer.from(`${letter.repeat(22)}==`);

/** `{"ack": id}` as MessagePack. */
export function ackOf(id: Buffer): string {
  const header = id.length < 32 ? Buffer.of(0xa0 | id.length) : Buffer.of(0xd9, id.length);
  return Buffer.concat([Buffer.from('81a361636b', 'hex'), header, id]).toString('hex');
}

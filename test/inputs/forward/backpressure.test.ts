import { describe, expect, test } from 'vitest';
import { type GatedClient, JournalGate } from '../../../src/inputs/forward/journal-gate.ts';
import { ENTRY_1, hex, SAMPLES, TAG } from '../../support/forward-messages.ts';
import { ackOf, chunkId } from '../../support/forward-server.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';
import { useForwardServer } from '../../support/use-forward-server.ts';
import { until } from '../../support/wait.ts';

const start = useForwardServer();

const KiB = 1024;
const MiB = 1024 * KiB;
/** What the gate lets wait for the disk, and one read. */
const ROOM_BYTES = 8 * MiB + 256 * KiB;
const line = SAMPLES.docker_line;
const chunked = (letter: string): Buffer =>
  hex(`94${TAG}${ENTRY_1.slice(2)}81a56368756e6bb8${chunkId(letter).toString('hex')}`);

/** Waits until `read()` has been the same for a while: whatever was going to move has moved. */
async function untilStill(read: () => number): Promise<void> {
  let last = read();
  let same = 0;
  await until('standstill', () => {
    const now = read();
    same = now === last ? same + 1 : 0;
    last = now;
    return same === 20;
  });
}

describe('while the journal takes nothing', () => {
  test('clients are not read: little more than what was on its way goes in', async () => {
    const { connect, journal, server } = await start({ automatic: false });
    journal.become('commit_full');
    const client = await connect();
    const sent_events = Math.ceil((16 * MiB) / line.length);
    client.send(Buffer.concat(Array.from({ length: sent_events }, () => line)));
    await until('the first bytes', () => server.stats.bytes_in > 0);
    await untilStill(() => server.stats.bytes_in);
    expect(server.stats.bytes_in).toBeLessThan(MiB);

    journal.become('writable');
    await until('the rest', () => server.stats.events_in === sent_events);
  });

  test('an idle client costs nothing, and the end of one is still seen', async () => {
    const { connect, journal, server } = await start({ automatic: false });
    journal.become('disk_full');
    const client = await connect();
    client.send(chunked('A'));
    await until('the event', () => server.stats.events_in === 1);
    client.destroy();
    journal.become('writable');
    journal.commit();
    await until('the end', () => server.stats.connections_open === 0);
  });

  test('those who wait go on a few at a time, in order, as long as it takes more', async () => {
    const journal = new MemoryJournal({ automatic: false });
    journal.become('commit_full');
    const gate = new JournalGate(journal);
    const went: number[] = [];
    const client = (i: number): GatedClient => ({
      hold() {},
      goOn() {
        went.push(i);
        if (went.length === 20) journal.state = 'commit_full';
      },
    });
    for (let i = 0; i < 100; i++) gate.wait(client(i));
    const gone = client(-1);
    gate.wait(gone);
    gate.leave(gone);
    journal.become('writable');
    await until('the first twenty', () => went.length === 20);
    journal.become('writable');
    await until('all', () => went.length === 100);
    expect(went).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(gate.waiting_count).toBe(0);
  });

  test('thousands of clients bring no more together than the gate has room for, and lose nothing', async () => {
    const { connect, journal, server } = await start({ automatic: false });
    const clients = await Promise.all(Array.from({ length: 300 }, () => connect()));
    await until('all clients', () => server.stats.connections_open === 300);
    journal.become('commit_full');
    // In one turn of the event loop: each of them is readable before any is read.
    const each_events = Math.ceil((128 * KiB) / line.length);
    const lines = Buffer.concat(Array.from({ length: each_events }, () => line));
    for (const client of clients) client.send(lines);
    await until('the first bytes', () => server.stats.bytes_in > 0);
    await untilStill(() => server.stats.bytes_in);
    expect(journal.waiting_bytes).toBeLessThan(ROOM_BYTES);

    journal.become('writable');
    await until('the rest', () => server.stats.events_in === 300 * each_events);
  });

  test('a client that comes when there is no room is not read at all', async () => {
    const { connect, journal, server } = await start({ automatic: false });
    const first = await connect();
    const lines = Buffer.concat(Array.from({ length: 1000 }, () => line));
    let sent_events = 0;
    while (journal.waiting_bytes < 8 * MiB) {
      first.send(lines);
      sent_events += 1000;
      await until('the lines', () => server.stats.events_in === sent_events);
    }
    journal.become('disk_full');
    const bytes_in = server.stats.bytes_in;
    const others = await Promise.all(Array.from({ length: 20 }, () => connect()));
    await until('all clients', () => server.stats.connections_open === 21);
    for (const other of others) other.send(line);
    await untilStill(() => server.stats.bytes_in);
    expect(server.stats.bytes_in).toBe(bytes_in);

    journal.become('writable');
    await until('their lines', () => server.stats.events_in === sent_events + 20);
  });
});

describe('a client that sends and never reads its acks', () => {
  test('is not read any more once too many are owed', async () => {
    const limits = { acks_max: 10 };
    const { connect, journal, server } = await start({ automatic: false, limits });
    const client = await connect();
    client.socket.setNoDelay(true);
    client.send(chunked('A'));
    await until('the first', () => server.stats.events_in === 1);
    client.send(
      Buffer.concat(Array.from({ length: 30 }, (_, i) => chunked(String.fromCharCode(66 + i)))),
    );
    await until('the burst', () => server.stats.events_in === 31);
    client.send(chunked('z'));
    await untilStill(() => server.stats.events_in);
    expect(server.stats.events_in).toBe(31);
    journal.commit();
    await until('the next', () => server.stats.events_in === 32);
    journal.commit();
    expect(await client.receive(32 * 30)).toContain(ackOf(chunkId('z')));
  });

  test('is not read any more once its socket is full', async () => {
    const { connect, server } = await start({ limits: { ack_buffer_max_bytes: 4096 } });
    const client = await connect();
    client.socket.pause();
    // Ids of 250 bytes: acks fill the socket faster than messages.
    let sent = 0;
    const more = (): void => {
      const ids = Array.from({ length: 2000 }, () => String(sent++).padStart(250, '.'));
      const pieces = ids.map((id) =>
        Buffer.concat([hex(`94${TAG}${ENTRY_1.slice(2)}81a56368756e6bd9fa`), Buffer.from(id)]),
      );
      client.send(Buffer.concat(pieces));
    };
    const server_stops = async (): Promise<boolean> => {
      // The kernel takes megabytes of acks before the socket is full: no pauses until then.
      if (client.socket.writableLength <= MiB) {
        more();
        return false;
      }
      const before = server.stats.events_in;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return server.stats.events_in === before && client.socket.writableLength > MiB;
    };
    await until('the server to stop reading', server_stops, { interval_ms: 1 });
    const stuck_at = server.stats.events_in;
    expect(stuck_at).toBeLessThan(sent);
    client.socket.resume();
    await until('all acks', () => server.stats.acks_sent === sent);
    expect(server.stats.events_in).toBe(sent);
  });
});

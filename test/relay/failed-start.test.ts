/** A relay that cannot start says why, the most telling reason first, and leaves nothing behind. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Config, ListenerConfig } from '../../src/config/types.ts';
import { LogInputs } from '../../src/relay/log-inputs.ts';
import { type Relay, startRelay } from '../../src/relay.ts';
import { systemClock } from '../../src/sys/clock.ts';
import { RelayRig } from '../support/relay-rig.ts';

let rig: RelayRig;
let taken: Server;
let port: number;

beforeEach(async () => {
  rig = await RelayRig.open();
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  port = (taken.address() as { port: number }).port;
});

afterEach(async () => {
  await new Promise((resolve) => taken.close(resolve));
  await rig.dispose();
});

const start = (config: Config): Promise<Relay> =>
  startRelay(config, {
    ...{ log: rig.log, clock: systemClock, stdout: rig.stdout, stdout_is_terminal: false },
    ...{ drop_outputs: [], takeover: false, env: {}, pid: 1, version: '0.0.0' },
  });

/** Its journal is to be made, two folders deep. */
function fresh(): Config {
  return rig.config({ up: rig.toSink() }, { dir: join(rig.dir.path, 'new', 'journal') });
}

function listeningOn(taken_port: number): Config {
  const config = fresh();
  const listener: ListenerConfig = {
    url: `tcp://127.0.0.1:${taken_port}`,
    address: { kind: 'tcp', host: '127.0.0.1', port: taken_port },
    udp_heartbeat: false,
  };
  return { ...config, inputs: { ...config.inputs, listeners: [listener] } };
}

const withStatus = (config: Config): Config => ({
  ...config,
  status: { address: { host: '127.0.0.1', port }, token: undefined },
});

describe('a start that fails', () => {
  it('leaves no journal behind that it made, whichever port is taken', async () => {
    await expect(start(listeningOn(port))).rejects.toMatchObject({ code: 'LB_LISTEN' });
    expect(await readdir(rig.dir.path)).toEqual([]);
    await expect(start(withStatus(fresh()))).rejects.toMatchObject({ code: 'LB_LISTEN' });
    expect(await readdir(rig.dir.path)).toEqual([]);
  });

  it.each(['tcp', 'unix'])('reads no file when its %s address is taken', async (kind) => {
    const path = join(rig.dir.path, 'taken.sock');
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(path, resolve));
    const reads = vi.spyOn(LogInputs.prototype, 'start');
    const config = listeningOn(port);
    const listener: ListenerConfig = {
      url: `unix://${path}`,
      address: { kind: 'unix', path, mode: undefined },
      udp_heartbeat: false,
    };
    const on_path = { ...config, inputs: { ...config.inputs, listeners: [listener] } };
    try {
      await expect(start(kind === 'tcp' ? config : on_path)).rejects.toMatchObject({
        code: 'LB_LISTEN',
      });
      expect(reads).not.toHaveBeenCalled();
    } finally {
      vi.restoreAllMocks();
      await new Promise((resolve) => other.close(resolve));
    }
  });

  it('leaves none behind for a certificate that cannot be used either', async () => {
    const file = join(rig.dir.path, 'bad.pem');
    await writeFile(file, 'no certificate');
    const listener: ListenerConfig = {
      url: 'tls://127.0.0.1:0',
      address: { kind: 'tls', host: '127.0.0.1', port: 0 },
      tls: {
        cert_file: file,
        key_file: file,
        client_certificates: 'none',
        min_version: 'TLSv1.2',
      },
      udp_heartbeat: false,
    };
    const config = fresh();
    const broken = { ...config, inputs: { ...config.inputs, listeners: [listener] } };
    await expect(start(broken)).rejects.toMatchObject({ code: 'LB_TLS' });
    expect(await readdir(rig.dir.path)).toEqual(['bad.pem']);
  });

  it('leaves a folder that was there before, with all that is in it', async () => {
    const dir = join(rig.dir.path, 'new', 'journal');
    await mkdir(dir, { recursive: true });
    await expect(start(listeningOn(port))).rejects.toMatchObject({ code: 'LB_LISTEN' });
    expect(await readdir(join(rig.dir.path, 'new'))).toEqual(['journal']);
  });

  it('takes nothing away from a journal with events', async () => {
    const relay = await rig.start({ up: rig.toSink() });
    await rig.send(await rig.client(relay));
    await relay.stop();
    const dir = join(rig.dir.path, 'journal');
    const config = listeningOn(port);
    await expect(start({ ...config, journal: { ...config.journal, dir } })).rejects.toMatchObject({
      code: 'LB_LISTEN',
    });
    const again = await rig.start({ up: rig.toSink() });
    await again.stop();
    expect(rig.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect((await readdir(dir)).filter((name) => name.endsWith('.seg'))).not.toEqual([]);
  });
});

describe('a second relay on the same journal and ports', () => {
  it('names the one that owns the journal, rather than the port that it has too', async () => {
    await rig.start({ up: rig.toSink() });
    const config = withStatus(rig.config({ up: rig.toSink() }));
    await expect(start(config)).rejects.toMatchObject({
      code: 'LB_JOURNAL_LOCKED',
      message: expect.stringContaining(`process ${process.pid}`),
    });
  });
});

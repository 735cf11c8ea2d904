import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { type TempDir, tempDir } from './temp-dir.ts';

/** How an Engine compares a log's entries with `since` (formats.md 6.1). */
export type SinceRule = 'every entry' | 'up to the first match';

export interface FakeEntry {
  readonly stream: 'stdout' | 'stderr';
  readonly time_s: number;
  readonly time_ns: number;
  /** With its newline, if it has one. */
  readonly line: string;
}

/** A container as the fake tells of it; what matters to a test can be changed at any time. */
export class FakeContainer {
  readonly id: string;
  name: string;
  running = true;
  tty = false;
  started_at = '2026-11-23T06:00:00.123456789Z';
  labels: Record<string, string> = {};
  log_driver = 'json-file';
  readonly log: FakeEntry[] = [];
  /** The status of answers about its log; 200: the log. */
  logs_status = 200;
  /** Inspecting it never answers. */
  hangs = false;

  constructor(id: string, name: string) {
    this.id = id;
    this.name = name;
  }

  inspect(): object {
    return {
      Id: this.id,
      Name: `/${this.name}`,
      Created: '2026-11-23T05:59:59Z',
      Path: '/bin/sh',
      Args: ['-c', 'true'],
      Image: `sha256:${'a'.repeat(64)}`,
      LogPath: '',
      State: { Running: this.running, StartedAt: this.started_at },
      Config: {
        Image: 'app:1',
        Labels: this.labels,
        Env: ['A=b'],
        Hostname: 'host',
        Tty: this.tty,
      },
      HostConfig: { LogConfig: { Type: this.log_driver, Config: { 'max-size': '1m' } } },
    };
  }
}

interface Follower {
  readonly response: ServerResponse;
  readonly container: FakeContainer;
  readonly since: bigint;
  sent: number;
  matched: boolean;
  broken: boolean;
}

/**
 * A fake of the Docker Engine's API on a unix socket: the calls that logboom makes, as
 * formats.md 6 describes them, with everything that can go wrong at will. No test that
 * uses it proves anything about a real Engine.
 */
export class FakeEngine {
  readonly containers = new Map<string, FakeContainer>();
  /** The path and query of every request, without the version. */
  readonly requests: string[] = [];
  since_rule: SinceRule = 'up to the first match';
  api_version = '1.41';
  min_api_version = '1.12';
  /** The next log answers break off after so many bytes. */
  cut_after_bytes: number | undefined;
  /** What an answer that lists or inspects waits for when it has been made. */
  afterLook: (() => Promise<void>) | undefined;
  /** Who follows a log hears nothing more of it, as 20.10 does it to some when files are rotated. */
  follow_is_deaf = false;
  readonly #dir: TempDir;
  readonly #server: Server;
  readonly #followers = new Set<Follower>();
  readonly #subscribers = new Set<ServerResponse>();
  readonly #history: { time_ns: bigint; line: string }[] = [];
  #time_ns = 1_795_414_942_346_834_045n;

  private constructor(dir: TempDir) {
    this.#dir = dir;
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  static async start(): Promise<FakeEngine> {
    const engine = new FakeEngine(await tempDir('engine'));
    await engine.listen();
    return engine;
  }

  get socket_path(): string {
    return join(this.#dir.path, 'docker.sock');
  }

  get subscribers_count(): number {
    return this.#subscribers.size;
  }

  get followers_count(): number {
    return this.#followers.size;
  }

  async listen(): Promise<void> {
    this.#server.listen(this.socket_path);
    await once(this.#server, 'listening');
  }

  /** The Engine goes away, with all its connections. */
  async goAway(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async dispose(): Promise<void> {
    if (this.#server.listening) await this.goAway();
    await this.#dir.remove();
  }

  /** Adds a container whose id is made from one hexadecimal digit. */
  add(digit: string, name: string): FakeContainer {
    const container = new FakeContainer(digit.repeat(64), name);
    this.containers.set(container.id, container);
    return container;
  }

  /** Tells subscribers of an event; those to come get it through `since`. */
  emit(action: string, container: FakeContainer): void {
    this.#time_ns += 1_000_000n;
    const line = JSON.stringify({
      Type: 'container',
      Action: action,
      Actor: { ID: container.id, Attributes: { name: container.name } },
      scope: 'local',
      time: Number(this.#time_ns / 1_000_000_000n),
    }).replace(/}$/, `,"timeNano":${this.#time_ns}}\n`);
    this.#history.push({ time_ns: this.#time_ns, line });
    for (const subscriber of this.#subscribers) subscriber.write(line);
  }

  /** Appends to a container's log; followers get it at once. */
  write(container: FakeContainer, ...entries: FakeEntry[]): void {
    container.log.push(...entries);
    if (this.follow_is_deaf) return;
    for (const follower of this.#followers) this.#feed(follower);
  }

  /** The container ends: followers get the rest and the end. */
  end(container: FakeContainer): void {
    container.running = false;
    for (const follower of this.#followers) {
      if (follower.container === container) follower.response.end();
    }
  }

  /** Breaks every connection that follows a log or the events. */
  breakStreams(): void {
    for (const { response } of this.#followers) response.destroy();
    for (const subscriber of this.#subscribers) subscriber.destroy();
  }

  /** Ends the events without an error. */
  endEvents(): void {
    for (const subscriber of this.#subscribers) subscriber.end();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').replace(/^\/v[\d.]+/, '');
    this.requests.push(path);
    const url = new URL(path, 'http://docker');
    const [, kind, id, what] = url.pathname.split('/');
    if (kind === 'version') {
      json(response, 200, { ApiVersion: this.api_version, MinAPIVersion: this.min_api_version });
    } else if (kind === 'events') this.#subscribe(url, response);
    else if (kind === 'containers' && id === 'json') this.#answer(this.#list(), response);
    else this.#serveContainer(this.containers.get(id ?? ''), what, url, response);
  }

  #serveContainer(
    container: FakeContainer | undefined,
    what: string | undefined,
    url: URL,
    response: ServerResponse,
  ): void {
    if (container === undefined) json(response, 404, { message: 'No such container' });
    else if (what === 'logs') this.#serveLog(container, url, response);
    else if (!container.hangs) this.#answer(container.inspect(), response);
  }

  #answer(body: object, response: ServerResponse): void {
    const send = (): void => json(response, 200, body);
    if (this.afterLook === undefined) send();
    else void this.afterLook().then(send);
  }

  #list(): object[] {
    return [...this.containers.values()].map(({ id, name, running }) => ({
      Id: id,
      Names: [`/web/${name}`, `/${name}`],
      State: running ? 'running' : 'exited',
    }));
  }

  #subscribe(url: URL, response: ServerResponse): void {
    response.writeHead(200).flushHeaders();
    const since = nanoseconds(url.searchParams.get('since'));
    for (const { time_ns, line } of this.#history) {
      if (since !== 0n && time_ns >= since) response.write(line);
    }
    this.#subscribers.add(response);
    response.once('close', () => this.#subscribers.delete(response));
  }

  #serveLog(container: FakeContainer, url: URL, response: ServerResponse): void {
    if (container.logs_status !== 200) {
      json(response, container.logs_status, { message: 'cannot be read' });
      return;
    }
    response.writeHead(200).flushHeaders();
    const since = nanoseconds(url.searchParams.get('since'));
    const tail = url.searchParams.get('tail');
    const sent = tail === null ? 0 : Math.max(0, container.log.length - Number(tail));
    const start = { sent, matched: false, broken: false };
    const follower: Follower = { response, container, since, ...start };
    this.#feed(follower);
    if (follower.broken) return;
    if (url.searchParams.get('follow') === null || !container.running) {
      response.end();
      return;
    }
    this.#followers.add(follower);
    response.once('close', () => this.#followers.delete(follower));
  }

  #feed(follower: Follower): void {
    const { container, since } = follower;
    for (const entry of container.log.slice(follower.sent)) {
      follower.sent++;
      const is_late = BigInt(entry.time_s) * 1_000_000_000n + BigInt(entry.time_ns) < since;
      const is_compared = this.since_rule === 'every entry' || !follower.matched;
      if (is_late && is_compared) continue;
      follower.matched = true;
      this.#send(follower, frame(entry, container.tty));
    }
  }

  #send(follower: Follower, bytes: Buffer): void {
    const { response } = follower;
    const left = this.cut_after_bytes;
    if (follower.broken) return;
    if (left === undefined) {
      response.write(bytes);
    } else if (left < bytes.length) {
      this.cut_after_bytes = undefined;
      follower.broken = true;
      response.write(bytes.subarray(0, left), () => response.destroy());
    } else {
      this.cut_after_bytes = left - bytes.length;
      response.write(bytes);
    }
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function nanoseconds(since: string | null): bigint {
  const [seconds = '0', fraction = ''] = (since ?? '0').split('.');
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9));
}

/** `[type][000][length]<time> <line>`; a TTY's log is not framed. */
function frame({ stream, time_s, time_ns, line }: FakeEntry, tty: boolean): Buffer {
  const second = new Date(time_s * 1000).toISOString().slice(0, 19);
  const payload = Buffer.from(`${second}.${String(time_ns).padStart(9, '0')}Z ${line}`);
  if (tty) return payload;
  const head = Buffer.alloc(8);
  head.writeUInt8(stream === 'stdout' ? 1 : 2, 0);
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

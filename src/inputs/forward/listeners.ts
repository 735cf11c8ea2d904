import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, systemCode } from '../../errors.ts';
import type { Clock } from '../../sys/clock.ts';
import type { Log } from '../../sys/log.ts';
import { type InheritedSocket, resolveAddress, type SocketAddress } from './listen-address.ts';
import { Listener, type ListenerEvents } from './listener.ts';
import type { ListenerOptions } from './options.ts';
import { canSharePorts } from './port-sharing.ts';
import { SharedReads } from './shared-reads.ts';

/** One listener of a process that hands over. */
export interface HandedOver {
  /** As `Listener.url`. */
  readonly url: string;
  /** Its TCP port can be listened on before it is closed. */
  readonly shares_port: boolean;
}

export interface ListenersDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** What `inheritedSockets` found. */
  readonly inherited?: readonly InheritedSocket[];
  readonly handshake_timeout_ms: number;
  readonly connections_max: number;
}

/** Given what the listener is about, and its options. */
export type EventsOf = (listener: Listener, options: ListenerOptions) => ListenerEvents;

/** What is taken from a socket at once: fewer, larger reads cost less. */
const READ_MAX_BYTES = 256 * 1024;
const RETRY_MS = 1;

interface Planned {
  readonly listener: Listener;
  readonly options: ListenerOptions;
  /** Its address is that of one who hands over. */
  readonly handed_over: boolean;
  /** It can be opened only after that one has closed. */
  readonly later: boolean;
}

/**
 * All listeners of the input, opened together: on their own, or in steps beside a
 * process that hands its addresses over.
 *
 *     openBeside()   what can be opened while the other listens; unix sockets out of sight
 *     show()         unix sockets replace the other's: from now on the other may close
 *     openRest()     the other has closed: what could not be shared
 *     serve()        clients that were accepted meanwhile, and all that come
 */
export class Listeners {
  readonly #options: readonly ListenerOptions[];
  readonly #deps: ListenersDeps;
  readonly #reads = new SharedReads(READ_MAX_BYTES);
  readonly #shares_ports = canSharePorts();
  #planned: readonly Planned[] = [];
  #opened = false;

  constructor(options: readonly ListenerOptions[], deps: ListenersDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** The addresses that are open, with the ports that the system chose. */
  get urls(): string[] {
    return this.#planned.map(({ listener }) => listener.url);
  }

  /** For a process that takes over. */
  get handed_over(): HandedOver[] {
    return this.#planned.map(({ listener: { url, shares_port } }) => ({ url, shares_port }));
  }

  get heartbeats_answered(): number {
    return this.#planned.reduce((sum, { listener }) => sum + listener.heartbeats_answered, 0);
  }

  /** Opens what is not open yet: every listener, or none. @throws LB_LISTEN, LB_TLS */
  async open(): Promise<void> {
    if (this.#opened) return;
    if (this.#planned.length === 0) await this.openBeside([]);
    this.show();
    await this.openRest();
  }

  /** Opens what can be opened while `others` are open, or none. @throws LB_LISTEN, LB_TLS */
  async openBeside(others: readonly HandedOver[]): Promise<void> {
    await this.#allOrNone(async () => {
      this.#planned = this.#options.flatMap((options) => this.#plan(options, others));
      for (const { listener } of this.#planned) await listener.prepare();
      for (const plan of this.#planned) {
        if (!plan.later) await this.#open(plan);
      }
    });
  }

  /** Synchronous: no client finds a path without a socket. @throws LB_LISTEN */
  show(): void {
    for (const { listener } of this.#planned) listener.show();
  }

  /**
   * Opens what is not open yet, within `patience_ms` for ports that are still taken.
   *
   * @throws LB_LISTEN; none is open then
   */
  async openRest(patience_ms = 0): Promise<void> {
    const end_ms = this.#deps.clock.monotonic_ms() + patience_ms;
    await this.#allOrNone(async () => {
      for (const plan of this.#planned) {
        if (plan.later) await this.#openBy(end_ms, plan);
        await plan.listener.openHeartbeat();
      }
    });
    this.#opened = true;
  }

  /** Addresses that `openRest` has to open: until then their clients are refused. */
  get later(): string[] {
    return this.#planned.filter(({ later }) => later).map(({ listener }) => listener.url);
  }

  serve(eventsOf: EventsOf): void {
    for (const { listener, options } of this.#planned) {
      listener.serve(eventsOf(listener, options));
    }
  }

  /** Looks at the certificate files now. */
  async reloadCertificates(): Promise<void> {
    await Promise.all(this.#planned.map(({ listener }) => listener.reloadCertificates()));
  }

  /** Looks after unix sockets whose paths a takeover that failed may have left to nobody. */
  async reclaim(): Promise<void> {
    for (const { listener } of this.#planned) {
      await listener.reclaim().catch((error: unknown) => {
        this.#deps.log.error(
          { error: messageOf(error) },
          'a listener is lost until the next start',
        );
      });
    }
  }

  /** Accepts nothing more. Connections stay as they are; those nobody was given yet are closed. */
  close(): void {
    for (const { listener } of this.#planned) {
      try {
        listener.close();
      } catch (error) {
        this.#deps.log.warn({ error: messageOf(error) }, 'a listener did not close cleanly');
      }
    }
  }

  #plan(options: ListenerOptions, others: readonly HandedOver[]): Planned[] {
    const { clock, log, inherited = [], handshake_timeout_ms, connections_max } = this.#deps;
    return resolveAddress(options.address, inherited).map((address) => {
      const reads = this.#reads;
      const deps = { clock, log, handshake_timeout_ms, held_max: connections_max, reads };
      const listener = new Listener(address, options, deps);
      const holders = others.filter(({ url }) => isSamePlace(address, url));
      const shared = this.#shares_ports && holders.every(({ shares_port }) => shares_port);
      const handed_over = holders.length > 0;
      const later = handed_over && 'port' in address && !shared;
      return { listener, options, handed_over, later };
    });
  }

  async #openBy(end_ms: number, plan: Planned): Promise<void> {
    for (;;) {
      try {
        await this.#open(plan);
        return;
      } catch (error) {
        const taken = error instanceof Error && systemCode(error.cause) === 'EADDRINUSE';
        if (!taken || this.#deps.clock.monotonic_ms() >= end_ms) throw error;
        await sleep(RETRY_MS);
      }
    }
  }

  async #open({ listener, handed_over }: Planned): Promise<void> {
    await listener.open({ handed_over, share_port: this.#shares_ports });
  }

  async #allOrNone(open: () => Promise<void>): Promise<void> {
    try {
      await open();
    } catch (error) {
      this.close();
      throw error;
    }
  }
}

/** By path or port number: hosts may be written in many ways, and a wildcard takes them all. */
function isSamePlace(address: SocketAddress, url: string): boolean {
  if (address.kind === 'fd') return false;
  if (address.kind === 'unix') return url === `unix://${address.path}`;
  return address.port !== 0 && url.endsWith(`:${address.port}`);
}

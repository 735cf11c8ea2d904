import { crc32 } from 'node:zlib';

export interface BalancedServer {
  /** Takes part in the choice by tag: the same name, the same tags. */
  readonly name: string;
  /** `weighted`: its share of the tags, against the other weights. */
  readonly weight: number;
  /** `weighted`: gets tags only while no other server is fit. */
  readonly standby: boolean;
}

export interface BalancerOptions {
  /** `failover`: the first fit server of the list takes everything. `weighted`: tags are spread. */
  readonly mode: 'failover' | 'weighted';
  /** A server that failed or was slow gets its tags back after this long in good health. */
  readonly recover_wait_ms: number;
  /** An ack that takes longer makes a server slow. */
  readonly slow_ack_ms: number;
}

/** Smaller is better. Every server starts fit. */
const FITNESS = { fit: 0, slow: 1, recovering: 2, down: 3 } as const;
export type Health = keyof typeof FITNESS;

interface ServerHealth {
  connected: boolean;
  /** Fit again from here on, if connected. */
  recovered_ms: number;
  fast_ms: number;
}

/**
 * Decides which server takes a tag. Pure: told of what happens, and given the time.
 *
 * - The choice depends on tag, names, weights and health only: restarts do not change it.
 * - `weighted`: when a server fails only its own tags move (rendezvous hashing).
 * - With no fit server the best of the others is named; there is always an answer.
 */
export class Balancer {
  readonly #servers: readonly BalancedServer[];
  readonly #name_hashes: readonly number[];
  readonly #options: BalancerOptions;
  readonly #health: ServerHealth[];

  constructor(servers: readonly BalancedServer[], options: BalancerOptions) {
    this.#servers = servers;
    this.#name_hashes = servers.map((server) => crc32(server.name));
    this.#options = options;
    this.#health = servers.map(() => ({ connected: true, recovered_ms: 0, fast_ms: 0 }));
  }

  /** A connection was opened and is ready. */
  connected(server: number, now_ms: number): void {
    const health = this.#of(server);
    if (health.connected) return;
    health.connected = true;
    health.recovered_ms = now_ms + this.#options.recover_wait_ms;
  }

  /** A connection could not be opened, or broke. */
  failed(server: number): void {
    this.#of(server).connected = false;
  }

  acked(server: number, latency_ms: number, now_ms: number): void {
    if (latency_ms <= this.#options.slow_ack_ms) return;
    this.#of(server).fast_ms = now_ms + this.#options.recover_wait_ms;
  }

  health(server: number, now_ms: number): Health {
    const { connected, recovered_ms, fast_ms } = this.#of(server);
    if (!connected) return 'down';
    if (now_ms < recovered_ms) return 'recovering';
    return now_ms < fast_ms ? 'slow' : 'fit';
  }

  /** The index of the server that takes the tag now. */
  route(tag: Buffer, now_ms: number): number {
    const { mode } = this.#options;
    const tag_hash = mode === 'weighted' ? crc32(tag) : 0;
    let best = 0;
    let best_rank = Number.POSITIVE_INFINITY;
    let best_score = Number.NEGATIVE_INFINITY;
    for (const [index, server] of this.#servers.entries()) {
      const standby = mode === 'weighted' && server.standby ? 1 : 0;
      const rank = 2 * FITNESS[this.health(index, now_ms)] + standby;
      const score = mode === 'weighted' ? this.#score(tag_hash, index, server.weight) : -index;
      if (rank < best_rank || (rank === best_rank && score > best_score)) {
        best = index;
        best_rank = rank;
        best_score = score;
      }
    }
    return best;
  }

  /** Weighted rendezvous: the greatest of -weight / ln(hash in (0, 1)) wins in proportion to its weight. */
  #score(tag_hash: number, server: number, weight: number): number {
    // CRCs of one tag differ between servers by a constant only; mixing makes them independent.
    const mixed = mix32(tag_hash ^ mix32(this.#name_hashes[server] ?? 0));
    return -weight / Math.log((mixed + 0.5) / 2 ** 32);
  }

  #of(server: number): ServerHealth {
    const health = this.#health[server];
    if (health === undefined) throw new RangeError(`no server ${server} of ${this.#health.length}`);
    return health;
  }
}

/** The finalizer of MurmurHash3: every input bit changes about half of the output bits. */
function mix32(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

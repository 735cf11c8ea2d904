import { connect, type NetConnectOpts } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MS = 1;

/** Connects again and again, says nothing, and notes every attempt that fails. */
export class ConnectionProbe {
  accepted = 0;
  readonly #target: NetConnectOpts;
  readonly #failures: string[] = [];
  readonly #done: Promise<void>;
  #stopping = false;

  constructor(target: NetConnectOpts) {
    this.#target = target;
    this.#done = this.#run();
  }

  /** Resolves with the codes of what went wrong while it connected. */
  async finish(): Promise<string[]> {
    this.#stopping = true;
    await this.#done;
    return this.#failures;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      await this.#attempt();
      await sleep(PAUSE_MS);
    }
  }

  #attempt(): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(this.#target);
      let connected = false;
      socket.once('connect', () => {
        connected = true;
        this.accepted++;
        socket.end();
        resolve();
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (!connected) this.#failures.push(String(error.code));
        resolve();
      });
    });
  }
}

/** What doctor has seen; the rules look at nothing else. `undefined`: it could not be seen. */
import type { Container } from '../../inputs/docker/types.ts';
import type { Rate } from './rate.ts';

export interface DoctorFacts {
  readonly now_ms: number;
  /** What is to be survived without loss: the relay, or what it sends to, is away for so long. */
  readonly outage_ms: number;
  readonly engine: EngineFacts;
  readonly relay: RelayFacts;
  readonly journal: JournalFacts;
  /** Those that this relay is there for, and those of the fluentd driver that send elsewhere. */
  readonly containers: readonly ContainerFacts[];
}

interface EngineFacts {
  /** Such as `20.10.24`; only its API tells. */
  readonly version: string | undefined;
  /** What `daemon.json` gives containers that are created from now on. */
  readonly defaults: LogDefaults | undefined;
}

export interface LogDefaults {
  readonly log_driver: string;
  readonly log_options: Readonly<Record<string, string>>;
}

export interface RelayFacts {
  readonly listeners: readonly ListenerFacts[];
  /** Its configuration names Docker's folder. */
  readonly reads_docker: boolean;
  /** Addresses of this system's network interfaces. */
  readonly interfaces: readonly string[];
}

interface ListenerFacts {
  readonly url: string;
  /** Why it cannot be connected to; `answers`; or that it was not tried. */
  readonly state: 'answers' | 'not tried' | { readonly failed: string };
}

export interface JournalFacts {
  readonly dir: string;
  readonly max_bytes: number;
  readonly used_bytes: number;
  /** On its file system. */
  readonly free_bytes: number | undefined;
  /** When its newest commit was written, by the clock of then. */
  readonly newest_ms: number | undefined;
  /** Why it cannot be written to. */
  readonly problem: string | undefined;
}

export interface ContainerFacts {
  readonly container: Container;
  /** Of the fluentd driver: its address is one of this relay's. */
  readonly sends_here: boolean;
  /** Of its log, or its cache. */
  readonly rate: Rate | undefined;
  /** Why its log files cannot be read. */
  readonly unreadable: string | undefined;
  /** Why its tag cannot be made as Docker makes it. */
  readonly tag_problem: string | undefined;
}

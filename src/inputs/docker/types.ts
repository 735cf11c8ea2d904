/** A container as Docker's own files, or its API, describe it. */
export interface Container {
  /** 64 hex digits. */
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  /** As it was given to `docker run`. */
  readonly image_name: string;
  /** `sha256:` and 64 hex digits. */
  readonly image_id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `K=V`, in their order. */
  readonly env: readonly string[];
  readonly hostname: string;
  /** Path and arguments, as they run. */
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly log_driver: string;
  /** The effective log options; daemon defaults are in them (formats.md 3.1). */
  readonly log_options: Readonly<Record<string, string>>;
  readonly created_ms: number;
  /** Of its present or last run; 0: never. */
  readonly started_ms: number;
  readonly running: boolean;
  /** The folder with its files; undefined when known through the Engine API only. */
  readonly directory: string | undefined;
  /** The live json-file log as Docker names it; empty for other drivers. */
  readonly log_path: string;
}

/**
 * What a container's events carry besides their line: fixed for a run of the
 * container, since a rename must not change them half way (DESIGN 7).
 */
export interface Identity {
  readonly container_id: string;
  /** With the leading slash, as the driver sends it. */
  readonly container_name: string;
  readonly tag: string;
  /** Chosen labels and environment, and what ECS names; in the order in which they are written. */
  readonly extra: Readonly<Record<string, string>>;
  /** Whether times go out with nanoseconds (`fluentd-sub-second-precision`). */
  readonly sub_second: boolean;
}

export interface RegistryEvents {
  added(container: Container): void;
  /** Something that `Container` shows is different. */
  changed(container: Container, before: Container): void;
  /** Its folder is gone; open files can still be read to their end. */
  removed(container: Container): void;
}

/** Where containers are known from: Docker's files, or its API. */
export interface ContainerSource {
  /** All that are known now. */
  all(): readonly Container[];
  get(id: string): Container | undefined;
  /** Looks for this container at once; undefined when there is none, or it cannot be read yet. Never rejects. */
  rescan(id: string): Promise<Container | undefined>;
  /** True: there certainly is no such container. Asks at once; false where it cannot be told. Never rejects. */
  isGone(id: string): Promise<boolean>;
  /** Tells of every change from now on, each after `get` shows it. Returns the way to stop it. */
  subscribe(events: RegistryEvents): () => void;
}

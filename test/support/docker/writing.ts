import type { Container } from './container.ts';
import type { DockerEngine } from './engine.ts';
import { type LineWriter, lineWriterCommand, type WriterFiles } from './line-writer.ts';

/** One container of a run: what it writes, and the log driver that it writes through. */
export interface Writing {
  readonly name: string;
  readonly writer: LineWriter;
  readonly driver: 'fluentd' | 'json-file' | 'local';
  /** The `--log-opt` pairs; for fluentd without the address. */
  readonly options?: Readonly<Record<string, string>>;
  /** How the fluentd driver reaches the relay: its TCP port if not given. */
  readonly via?: 'tcp' | 'unix';
  readonly tty?: boolean;
  /** `--rm`. */
  readonly auto_remove?: boolean;
  /** The container's name, where it differs from the one in its lines. */
  readonly container_name?: string;
}

/** The same writing for several containers, `<name>-1` and so on. */
export function several(count: number, writing: Writing): Writing[] {
  return Array.from({ length: count }, (_, i) => ({
    ...writing,
    name: `${writing.name}-${i + 1}`,
  }));
}

/** Where a container finds the relay and puts its progress. */
export interface Surroundings {
  readonly tcp_address: string;
  readonly unix_address: string;
  /** The folder that all containers share with the test. */
  readonly progress_dir: string;
}

export function startWriting(
  engine: DockerEngine,
  writing: Writing,
  { tcp_address, unix_address, progress_dir }: Surroundings,
): Promise<Container> {
  const { name, writer, driver, options = {}, via = 'tcp' } = writing;
  const address = { 'fluentd-address': via === 'unix' ? unix_address : tcp_address };
  return engine.run({
    name: writing.container_name ?? name,
    command: lineWriterCommand(name, writer, filesOf('/progress', name)),
    log: { driver, options: driver === 'fluentd' ? { ...address, ...options } : options },
    binds: [`${progress_dir}:/progress`],
    tty: writing.tty ?? false,
    auto_remove: writing.auto_remove ?? false,
  });
}

/** A writer's files, in the folder as whoever asks sees it. */
export function filesOf(progress_dir: string, name: string): WriterFiles {
  return { progress: `${progress_dir}/${name}`, stop: `${progress_dir}/${name}.stop` };
}

import { type ConfigTree, isSection, type Path, type Place } from './tree.ts';

/** What the command line says about the configuration; it wins over the file. */
export interface ConfigFlags {
  readonly listen?: readonly string[];
  readonly to?: readonly string[];
  readonly journal?: string;
  readonly docker?: string;
  readonly status?: string;
  readonly log_level?: string;
}

/** The forward output that `--to` makes or changes. */
const FLAG_OUTPUT = 'upstream';

/** Puts the flags over the file, so that both pass the same checks; their problems name the flag. */
export function applyFlags(tree: ConfigTree, flags: ConfigFlags): ConfigTree {
  let result = tree;
  const set = (path: Path, value: unknown, flag: string): void => {
    if (value !== undefined) result = result.with(path, value, { where: flag, offset: -1 });
  };
  result = applyListen(result, flags.listen ?? []);
  result = applyTo(result, flags.to ?? []);
  set(['journal', 'dir'], flags.journal, '--journal');
  set(['docker', 'root'], flags.docker, '--docker');
  set(['status', 'listen'], flags.status, '--status');
  set(['log', 'level'], flags.log_level, '--log-level');
  return result;
}

/** `--listen` replaces the listeners; one that the file has, with the same URL, keeps its other keys. */
function applyListen(tree: ConfigTree, urls: readonly string[]): ConfigTree {
  if (urls.length === 0) return tree;
  const path = ['inputs', 'forward'];
  const in_file = tree.get(path);
  const known = Array.isArray(in_file) ? in_file.filter(isSection) : [];
  const listeners = urls.map(
    (url) => known.find((listener) => listener['listen'] === url) ?? { listen: url },
  );
  return withEach(tree, path, listeners, ['listen'], { where: '--listen', offset: -1 });
}

/** `--to` sets the servers of one forward output; what the file says about it otherwise stays. */
function applyTo(tree: ConfigTree, urls: readonly string[]): ConfigTree {
  if (urls.length === 0) return tree;
  const place = { where: '--to', offset: -1 };
  const output = ['outputs', FLAG_OUTPUT];
  const typed =
    tree.get([...output, 'type']) === undefined
      ? tree.with([...output, 'type'], 'forward', place)
      : tree;
  return withEach(typed, [...output, 'servers'], urls, [], place);
}

function withEach(
  tree: ConfigTree,
  path: Path,
  items: readonly unknown[],
  inside: Path,
  place: Place,
): ConfigTree {
  let result = tree.with(path, items, place);
  for (const index of items.keys()) {
    const here = [...path, index, ...inside];
    result = result.with(here, result.get(here), place);
  }
  return result;
}

/**
 * Patterns for paths, as shells have them: pure.
 *
 *     *      any characters but `/`; not a dot at the beginning of a name
 *     ?      one character but `/`
 *     [a-z]  one of these; [!a-z] none of these
 *     {a,b}  one of these
 *     **     a part of its own: any folders, none included
 *
 * A pattern is matched part by part, so that looking for files opens no folder that
 * cannot have any.
 */
export interface PathGlob {
  /** Where looking begins: the folders before the first wildcard. */
  readonly base: string;
  /** What lies below `base`, part by part. */
  readonly parts: readonly GlobPart[];
}

/** Any folders, or names that match. */
export type GlobPart = '**' | RegExp;

const MAGIC = /[*?[{]/;

/** Compiles an absolute pattern; the alternatives in braces contain no `/`. */
export function compilePathGlob(pattern: string): PathGlob {
  const words = pattern.split('/').filter((word) => word !== '');
  const first_magic = words.findIndex((word) => MAGIC.test(word));
  const plain_count = first_magic === -1 ? words.length - 1 : first_magic;
  return {
    base: `/${words.slice(0, plain_count).join('/')}`,
    parts: words.slice(plain_count).map(compilePart),
  };
}

/** True if the whole `path`, absolute, is one that the pattern means. */
export function matchesPath(glob: PathGlob, path: string): boolean {
  const prefix = glob.base === '/' ? '/' : `${glob.base}/`;
  if (!path.startsWith(prefix)) return false;
  return matchesParts(glob.parts, path.slice(prefix.length).split('/'));
}

function matchesParts(parts: readonly GlobPart[], names: readonly string[]): boolean {
  const [part, ...parts_behind] = parts;
  const [name, ...names_behind] = names;
  if (part === undefined) return name === undefined;
  if (part === '**') {
    if (matchesParts(parts_behind, names)) return true;
    return name !== undefined && matchesParts(parts, names_behind);
  }
  return name !== undefined && part.test(name) && matchesParts(parts_behind, names_behind);
}

function compilePart(word: string): GlobPart {
  if (word === '**') return '**';
  const hidden = word.startsWith('.') ? '' : '(?!\\.)';
  return new RegExp(`^${hidden}${sourceOf(word)}$`, 's');
}

function sourceOf(word: string): string {
  let depth = 0;
  return word.replaceAll(/\[!?\]?[^\]]*\]|\*+|[?{},]|[^*?[{},]+|\[/g, (token) => {
    if (token.startsWith('*')) return '[^/]*';
    if (token === '?') return '[^/]';
    if (token.startsWith('[') && token.length > 1) return classOf(token);
    if (token === '{') {
      depth++;
      return '(?:';
    }
    if (token === '}' && depth > 0) {
      depth--;
      return ')';
    }
    if (token === ',' && depth > 0) return '|';
    return escaped(token);
  });
}

function classOf(token: string): string {
  const negated = token.startsWith('[!');
  const inside = token.slice(negated ? 2 : 1, -1);
  return `[${negated ? '^' : ''}${inside.replaceAll(/[\\\]^]/g, '\\$&')}]`;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

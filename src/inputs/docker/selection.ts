import type { Container } from './types.ts';

/** Which containers are meant: all that is given must fit; `*` in a glob stands for any text. */
interface ContainerPattern {
  readonly name?: string;
  /** Of the image as the container was given it, or of its id. */
  readonly image?: string;
  /** `KEY` or `KEY=VALUE`. */
  readonly label?: string;
}

export interface SelectionOptions {
  /** Empty: all. */
  readonly include: readonly ContainerPattern[];
  readonly exclude: readonly ContainerPattern[];
  /** The container that logboom itself runs in. */
  readonly own_id: string | undefined;
}

export interface Verdict {
  readonly read: boolean;
  /** For a person: `it is excluded by docker.exclude[0]`. */
  readonly why: string;
}

/** A container says with this label, `true` or `false`, whether it is read. */
const ENABLE_LABEL = 'logboom.enable';

/**
 * Chooses the containers that are read. What comes first decides: never the relay
 * itself; the container's own label; `exclude`; `include`. Pure.
 */
export function select(container: Container, options: SelectionOptions): Verdict {
  if (container.id === options.own_id) return no('it is logboom itself');
  const wish = container.labels[ENABLE_LABEL];
  if (wish === 'true') return yes(`its label ${ENABLE_LABEL} is true`);
  if (wish === 'false') return no(`its label ${ENABLE_LABEL} is false`);
  const excluded_by = firstFit(container, options.exclude);
  if (excluded_by !== -1) return no(`docker.exclude[${excluded_by}] fits`);
  const included_by = firstFit(container, options.include);
  if (included_by !== -1) return yes(`docker.include[${included_by}] fits`);
  if (options.include.length > 0) return no('nothing in docker.include fits');
  const odd = wish === undefined ? '' : `; its label ${ENABLE_LABEL} is neither true nor false`;
  return yes(`nothing excludes it${odd}`);
}

function yes(why: string): Verdict {
  return { read: true, why };
}

function no(why: string): Verdict {
  return { read: false, why };
}

function firstFit(container: Container, patterns: readonly ContainerPattern[]): number {
  return patterns.findIndex((pattern) => fits(container, pattern));
}

function fits(container: Container, { name, image, label }: ContainerPattern): boolean {
  const { image_name, image_id } = container;
  if (name !== undefined && !matchesGlob(container.name, name)) return false;
  if (image !== undefined && !matchesGlob(image_name, image) && !matchesGlob(image_id, image)) {
    return false;
  }
  return label === undefined || hasLabel(container, label);
}

function hasLabel({ labels }: Container, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  if (equals === -1) return Object.hasOwn(labels, wanted);
  const key = wanted.slice(0, equals);
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(equals + 1);
}

/** Whether all of `text` fits; takes time linear in both for a given number of stars. */
export function matchesGlob(text: string, glob: string): boolean {
  const [first = '', ...others] = glob.split('*');
  const last = others.pop();
  if (last === undefined) return text === glob;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

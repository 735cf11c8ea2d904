import type { TailTagField } from '../../config/schema/tail.ts';
import type { KubePath } from './kube-path.ts';

/** The tag of a file, or the field that its path does not tell. */
export type TagResult = { readonly tag: string } | { readonly missing: string };

/** Puts what the path tells into `template`, which the configuration has checked. */
export function renderTag(template: string, kube: KubePath): TagResult {
  let missing: string | undefined;
  const tag = template.replaceAll(/\{([^{}]*)\}/g, (_, name: TailTagField) => {
    const value = kube[name];
    if (value === undefined) missing ??= name;
    return value ?? '';
  });
  return missing === undefined ? { tag } : { missing };
}

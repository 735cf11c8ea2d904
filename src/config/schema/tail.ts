import { z } from 'zod';
import { parseListenAddress } from '../address.ts';
import { type Reading, refused, understood } from '../reading.ts';
import { closest } from '../suggest.ts';
import { checked, choice } from './fields.ts';

/** What may stand in braces in a tag of `inputs.tail`. */
const TAIL_TAG_FIELDS = ['namespace', 'pod', 'container', 'uid', 'container_id'] as const;
export type TailTagField = (typeof TAIL_TAG_FIELDS)[number];

/** A tag in which fields may stand in braces, such as `kubernetes.{namespace}.{pod}`. */
function readTailTag(text: string): Reading<string> {
  if (text === '') return refused('it is empty');
  for (const [placeholder, name = ''] of text.matchAll(/\{([^{}]*)\}/g)) {
    if ((TAIL_TAG_FIELDS as readonly string[]).includes(name)) continue;
    const meant = closest(name, TAIL_TAG_FIELDS);
    const suggestion = meant === undefined ? undefined : text.replace(placeholder, `{${meant}}`);
    return refused(`there is no ${placeholder}`, suggestion);
  }
  return understood(text);
}

/** An absolute path with wildcards. */
function readPathPattern(text: string): Reading<string> {
  if (!text.startsWith('/')) return refused('it is not absolute', `/${text}`);
  if (/\{[^}]*\//.test(text)) return refused('there is a / inside of braces');
  return text.endsWith('/') ? refused('it ends with /', `${text}*`) : understood(text);
}

/** `tcp://HOST:PORT`, or `off`. */
function readHealthAddress(text: string): Reading<string> {
  if (text === 'off') return understood(text);
  const address = parseListenAddress(text);
  if (!address.ok) return address;
  return address.value.kind === 'tcp' ? understood(text) : refused('a health check is plain TCP');
}

function patterns(description: string) {
  return z
    .array(
      checked(
        'An absolute path; `*`, `?`, `[a-z]`, `{a,b}` and `**` (any folders) may stand in it.',
        'an absolute path, such as /var/log/containers/*.log',
        readPathPattern,
      ),
    )
    .meta({ description });
}

export const tailSchema = z
  .array(
    z.strictObject({
      paths: patterns(
        'Log files of Kubernetes, or links to them, in the CRI or the Docker JSON format. A file that several paths lead to is read once, its rotated files with it.',
      ).min(1),
      exclude: patterns('Paths that are not read, as they are found by `paths`.').prefault([]),
      tag: checked(
        'The tag. `{namespace}`, `{pod}`, `{container}`, `{uid}` and `{container_id}` stand for what the path tells; a file whose path does not tell one of them is not read, and that is logged.',
        'a tag such as kubernetes.{namespace}.{pod}.{container}',
        readTailTag,
      ).prefault('kubernetes.{namespace}.{pod}.{container}'),
      start_at: choice(
        'Where a file begins that is there when logboom first sees it. Files that come later are read from their beginning.',
        ['newest', 'oldest'],
      ).prefault('newest'),
    }),
  )
  .meta({ description: "Kubernetes' log files, followed through links and rotations." })
  .prefault([]);

export const healthField = checked(
  '`tcp://HOST:PORT` of a health check that takes whatever is sent and keeps nothing, such as `tcp://127.0.0.1:8877` for AWS FireLens; or `off`.',
  'a URL such as tcp://127.0.0.1:8877, or off',
  readHealthAddress,
).prefault('off');

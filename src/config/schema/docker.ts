import { z } from 'zod';
import { DEFAULT_TAG } from '../../inputs/docker/identity/tag-template.ts';
import { LIMITS } from '../../limits.ts';
import { parseRelayAddress } from '../docker-address.ts';
import { formatDuration } from '../units.ts';
import { checked, choice, duration, flag, section, text } from './fields.ts';
import { readEngineSocket, readLabel, readTagTemplate } from './names.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const pattern = z.strictObject({
  name: text('Glob for the name: `*` stands for any text.').optional(),
  image: text('Glob for the image, as the container was given it, or for its id.').optional(),
  label: checked('A label, `KEY` or `KEY=VALUE`.', 'KEY or KEY=VALUE', readLabel).optional(),
});

function patterns(description: string) {
  return z.array(pattern).meta({ description }).prefault([]);
}

function names(description: string) {
  return z.array(text('A name.')).meta({ description }).prefault([]);
}

export const dockerSchema = section('Reading the log files of a Docker Engine on this host.', {
  root: text("Docker's data root or its `containers` folder; `off` reads none.").prefault('off'),
  api: checked(
    '`unix:///PATH` of the Engine API, such as `unix:///var/run/docker.sock`: containers are then known at once, and read through it where their files cannot be. `off` asks nothing.',
    'unix:///PATH, such as unix:///var/run/docker.sock, or off',
    readEngineSocket,
  ).prefault('off'),
  addresses: z
    .array(
      checked(
        'HOST:PORT or unix:///PATH, as containers have it in `fluentd-address`.',
        'an address as in fluentd-address, such as 127.0.0.1:24224 or unix:///run/logboom.sock',
        parseRelayAddress,
      ),
    )
    .meta({
      description:
        'Addresses under which containers reach this relay through the fluentd driver, when its listeners do not tell: a name, a port published under another number, a socket mounted elsewhere. When empty: its listeners, those on all interfaces with every address of this host that logboom can see.',
    })
    .prefault([]),
  hostname: text(
    "The host's name for `{{.Hostname}}` in tags. Default: this system's, which inside of a container is the container's.",
  ).optional(),
  start_at: choice('Where a container that was running before logboom first saw it is read from.', [
    'newest',
    'oldest',
  ]).prefault('newest'),
  tag: checked(
    "The tag of containers with other drivers than fluentd and no log option `tag` of their own: a template as for Docker's `tag`.",
    "a template as for Docker's tag, such as docker.{{.Name}}",
    readTagTemplate,
  ).prefault(DEFAULT_TAG),
  sub_second: flag(
    'Whether events that are read from files carry nanoseconds, as with `fluentd-sub-second-precision`.',
  ).prefault(true),
  labels: names('Labels that become fields of events that are read from files.'),
  env: names('Environment variables that become fields of events that are read from files.'),
  ecs: choice(
    '`auto`: containers of Amazon ECS get the fields ecs_cluster, ecs_task_arn, ecs_task_definition and ecs_container_name from their labels.',
    ['off', 'auto'],
  ).prefault('off'),
  include: patterns(
    'Containers that are read, as `{name, image, label}`; when empty: all. The label `logboom.enable=true` or `=false` on a container wins over this and `exclude`.',
  ),
  exclude: patterns('Containers that are not read.'),
  forget_after: duration('How long the place in the log of a container that is gone is kept.', {
    min: MINUTE,
    max: 365 * DAY,
  }).prefault(formatDuration(LIMITS.container_forget_after_ms)),
});

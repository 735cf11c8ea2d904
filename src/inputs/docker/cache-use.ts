import { DEFAULT_DRIVER_ADDRESS } from '../../config/docker-address.ts';
import { messageOf } from '../../errors.ts';
import { extraFields, NO_EXTRA_NAMES } from './identity/extra-fields.ts';
import { goBoolean, RESERVED_FIELDS } from './identity/identity.ts';
import type { RelayAddresses } from './relay-addresses.ts';
import type { Container } from './types.ts';

/** Whether the cache of a fluentd container is merged with its stream (DESIGN 7, "whose lines"). */
export type CacheUse =
  | { readonly use: 'merge'; readonly why: string }
  | {
      readonly use: 'none';
      readonly why: string;
      /** Lines of this relay's own container may be lost for it: to be said once, by name. */
      readonly warn: boolean;
    };

/**
 * Decides by what is written down about the container alone. `streamed_before`: this
 * journal has taken its stream, which proves whose it is whatever its address looks like.
 */
export function cacheUse(
  container: Container,
  addresses: RelayAddresses,
  streamed_before: boolean,
): CacheUse {
  const { log_driver, log_options } = container;
  if (log_driver !== 'fluentd') {
    return none(`its log driver is ${log_driver || 'not known'}, not fluentd`, false);
  }
  const address = log_options['fluentd-address'] || DEFAULT_DRIVER_ADDRESS;
  const is_ours = addresses.include(address);
  if (!is_ours && !streamed_before) return none(`it sends to ${address}, not to here`, false);
  if (goBoolean(log_options['cache-disabled'])) {
    return none('its cache is off (cache-disabled=true): what its stream loses is lost', true);
  }
  if (container.directory === undefined) {
    return none(
      'its cache is a file, and files are not read: give docker.root; what its stream loses is lost',
      true,
    );
  }
  const obstacle = overwrittenField(container);
  if (obstacle !== undefined) return none(obstacle, true);
  return {
    use: 'merge',
    why: is_ours ? `it sends to ${address}` : 'its stream has come here before',
  };
}

function none(why: string, warn: boolean): CacheUse {
  return { use: 'none', why, warn };
}

/** A label or variable that replaces what lines are recognised by (formats.md 3.2). */
function overwrittenField(container: Container): string | undefined {
  let extra: ReadonlyMap<string, string>;
  try {
    extra = extraFields(container, NO_EXTRA_NAMES);
  } catch (error) {
    return messageOf(error);
  }
  const name = RESERVED_FIELDS.find((field) => extra.has(field));
  if (name === undefined) return undefined;
  return `its events carry a label or variable called ${name} in the place of their own field: lines in stream and cache cannot be told to be the same`;
}

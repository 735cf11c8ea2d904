/** `node --import` this, and `src/cli.ts` gets the fake relay. */
import { register } from 'node:module';

const FAKE_RELAY = new URL('./fake-relay.ts', import.meta.url).href;

const hooks = `
  export const resolve = (specifier, context, next) =>
    specifier === './relay.ts' && context.parentURL?.endsWith('/src/cli.ts')
      ? next(${JSON.stringify(FAKE_RELAY)}, context)
      : next(specifier, context);
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

// The contracts carry zod schemas for the servers. The browser needs of a route its method and its
// path only, so that is all that goes into the bundle: the same object, without its schemas.

import { publicApi } from '@rushlight/contracts';
import type { Plugin } from 'vite';

const inContracts = /\/contracts\/src\/.*\.ts$/;
const inPublicApi = /\/contracts\/src\/http\/public\.ts$/;

/** Cuts the public API down to what a browser client uses, and lets unused contracts fall away. */
export function slimContracts(): Plugin {
  return {
    name: 'slim-contracts',
    enforce: 'pre',
    load: {
      filter: { id: inPublicApi },
      handler: () => ({ code: slimPublicApi(), moduleSideEffects: false }),
    },
    transform: {
      filter: { id: inContracts },
      handler: (code) => ({ code, map: null, moduleSideEffects: false }),
    },
  };
}

function slimPublicApi(): string {
  const routes = Object.entries(publicApi).map(([name, { method, path }]) => [
    name,
    { method, path },
  ]);
  return `export const publicApi = ${JSON.stringify(Object.fromEntries(routes))};`;
}

// The `rushlight` command: `npm start` runs this.

import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(
  fileURLToPath(new URL('../../node_modules/.cache/rushlight-compiled', import.meta.url)),
);

// Only now, so that it is compiled through the cache.
const { runCommand } = await import('./command.ts');
await runCommand(process.argv.slice(2));

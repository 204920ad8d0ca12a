// The command of `npm start`, with stand-ins for the services.

import { fileURLToPath } from 'node:url';
import { runCommand } from '../src/command.ts';
import type { ServiceCommand } from '../src/index.ts';

export const fakeCommand: ServiceCommand = (name) => [
  fileURLToPath(new URL('./fake-service.ts', import.meta.url)),
  `services/${name}`,
];

if (import.meta.main) await runCommand(process.argv.slice(2), { command: fakeCommand });

// The command of `npm start`, with stand-ins for the services.

import { fileURLToPath } from 'node:url';
import { runCommand } from '../src/command.ts';
import type { ServiceCommand } from '../src/index.ts';
import { sourceFolderOf } from '../src/service-part.ts';

export const fakeCommand: ServiceCommand = (name) => [
  fileURLToPath(new URL('./fake-service.ts', import.meta.url)),
  sourceFolderOf(name),
];

if (import.meta.main) await runCommand(process.argv.slice(2), { command: fakeCommand });

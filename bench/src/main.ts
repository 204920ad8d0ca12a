// `npm run bench`: the benchmarks by name.

import { runCommand } from './command.ts';

process.exitCode = await runCommand(process.argv.slice(2));

// `npm run bench`: the benchmarks by name.

import { runCommand } from './command.ts';

// The launcher ends what it started when this process exits; a signal alone would not tell it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1));
}
process.stdout.on('error', () => process.exit(1));

process.exitCode = await runCommand(process.argv.slice(2));

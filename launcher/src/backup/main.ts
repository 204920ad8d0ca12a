// npm run backup -- [--data DIR] FOLDER
// npm run restore -- --from FOLDER --data DIR

import { Command } from 'commander';
import { readLaunchConfig } from '../config.ts';
import { LaunchError } from '../launch-error.ts';
import { backUp } from './back-up.ts';
import { checkedBackup, restore } from './restore.ts';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => stop.abort(new LaunchError(`${name}: given up. Nothing was left.`)));
}
const { signal } = stop;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The data folder that `npm start` would use. */
function dataFolder(given: string | undefined): string {
  const read = readLaunchConfig(given === undefined ? [] : ['--data', given]);
  if (read.kind === 'config') return read.config.data;
  throw new LaunchError(read.kind === 'mistakes' ? read.mistakes.join('\n') : read.text);
}

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MB`;

async function makeBackup(target: string, given: { data?: string }): Promise<void> {
  const report = await backUp({ data: dataFolder(given.data), target, signal });
  const how = report.running ? 'while the shop ran' : 'of the stopped shop';
  say(`${report.folder}: ${megabytes(report.bytes)} in ${report.files} files, ${how}`);
  say(
    `it stands for ${report.at.toISOString()}; whoever can read it has the passwords of the shop`,
  );
  if (report.withoutBus) {
    say('what was on its way over RabbitMQ is not in it: see docs/BACKUP.md before you restore it');
  }
}

async function restoreBackup(given: { from: string; data?: string; check?: boolean }) {
  const { from, check } = given;
  if (check) {
    const { at, files } = await checkedBackup(from);
    say(`${from} is whole: ${files.length} files, of ${at}`);
    return;
  }
  const data = dataFolder(given.data);
  const { at } = await restore({ from, data, signal });
  say(`${data} is as the shop was at ${at}; start it with: npm start -- --data ${data}`);
}

const program = new Command('backup').exitOverride();
program
  .command('backup')
  .description('Copies the shop, all databases at one instant, into a new folder. It may run.')
  .usage('[options] FOLDER   (npm run backup -- …)')
  .argument('<folder>', 'must not be there yet')
  .option('--data <dir>', 'the data folder (default: .rushlight)')
  .action(makeBackup);
program
  .command('restore')
  .description('Puts a backup into an empty data folder.')
  .usage('--from FOLDER --data DIR   (npm run restore -- …)')
  .requiredOption('--from <folder>', 'the backup')
  .option('--data <dir>', 'the new data folder (default: .rushlight)')
  .option('--check', 'only see whether the backup is whole')
  .action(restoreBackup);

try {
  await program.parseAsync();
} catch (error) {
  const { code, exitCode } = error as { code?: string; exitCode?: number };
  if (code?.startsWith('commander.')) {
    process.exitCode = exitCode ?? 1; // It has said what is the matter.
  } else if (error instanceof LaunchError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}

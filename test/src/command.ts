// The `rushlight` command as a process, the way a person runs it.

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

export type Running = {
  readonly child: ChildProcess;
  readonly pid: number;
  output(): string;
  /** Waits for "ready in"; fails with the output when the process ends first. */
  ready(): Promise<void>;
  /** Waits until it has ended; its exit code, or the signal that killed it. */
  ended(deadlineMs?: number): Promise<number | NodeJS.Signals>;
};

const root = fileURLToPath(new URL('../../', import.meta.url));
const main = fileURLToPath(new URL('../../launcher/src/main.ts', import.meta.url));
const soakMain = fileURLToPath(new URL('../../lab/src/soak/main.ts', import.meta.url));
const backupMain = fileURLToPath(new URL('../../launcher/src/backup/main.ts', import.meta.url));

/** Runs the launcher itself. */
export function runLauncher(args: readonly string[], env: Record<string, string> = {}): Running {
  return run(process.execPath, [main, ...args], env);
}

/** Runs a soak. */
export function runSoak(args: readonly string[]): Running {
  return run(process.execPath, [soakMain, ...args], {});
}

/** Runs `npm run backup` or `npm run restore`, without the scripts around it. */
export function runBackup(args: readonly string[]): Running {
  return run(process.execPath, [backupMain, ...args], {});
}

/** Runs `npm start`, with the scripts around it. In a process group of its own, as a terminal does. */
export function runNpmStart(args: readonly string[], env: Record<string, string> = {}): Running {
  return run('npm', ['start', '--', ...args], env);
}

function run(program: string, args: readonly string[], env: Record<string, string>): Running {
  const child = spawn(program, args, {
    cwd: root,
    env: { ...withoutOurs(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  let end: number | NodeJS.Signals | undefined;
  const keep = (chunk: Buffer): void => {
    output = (output + chunk).slice(-100_000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.once('close', (code, signal) => {
    end = signal ?? code ?? 1;
  });
  return {
    child,
    pid: child.pid ?? 0,
    output: () => output,
    ready: async () => {
      const isReady = (): boolean => output.includes('ready in') || end !== undefined;
      await eventually('the platform is ready', isReady, { deadlineMs: 90_000 }).catch(
        () => undefined,
      );
      if (!output.includes('ready in'))
        throw new Error(`It did not get ready (${end}):\n${output}`);
    },
    ended: (deadlineMs = 30_000) =>
      eventually('the process ends', () => (end === undefined ? undefined : `${end}`), {
        deadlineMs,
      }).then(
        () => end as number | NodeJS.Signals,
        () => {
          throw new Error(`It did not end within ${deadlineMs} ms:\n${output}`);
        },
      ),
  };
}

/** What the test runner, or npm around it, put into the environment is not for them. */
function withoutOurs(): NodeJS.ProcessEnv {
  const foreign = /^(npm_|VITEST|NODE_ENV$|NODE_OPTIONS$|TEST$|RUSHLIGHT_|OTEL_)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

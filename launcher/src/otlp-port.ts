// The port on which the monitor takes OTLP in: the one that every OpenTelemetry SDK knows, unless
// somebody has it.
//
// T1. A port that is taken is a warning and another port, never a start that fails.
// T2. Of several platforms that start at the same time one has the port: it is claimed, for as long
//     as the launcher lives, before the monitor listens on it. Else the services of the others
//     would send to a monitor that is not theirs. Who cannot claim goes by whether it is free.

import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LaunchError } from './launch-error.ts';
import { takeLock } from './lock.ts';
import { findFreePort, whyNotFree } from './ports.ts';

/** What OpenTelemetry has registered for OTLP over HTTP. */
export const otlpPortDefault = 4_318;

export type OtlpPort = {
  readonly port: number;
  /** Why it is another one than was wanted: a sentence for people. */
  readonly warning: string | undefined;
  release(): void;
};

const host = '127.0.0.1';

/**
 * Takes the port that is wanted, or another one.
 *
 * @param wanted 0 for any free one
 * @param taken ports that are given away already
 */
export async function takeOtlpPort(
  wanted: number,
  taken: ReadonlySet<number>,
  claims: string = join(tmpdir(), `rushlight-${process.getuid?.() ?? 'user'}`),
): Promise<OtlpPort> {
  const free = async (): Promise<number> => findFreePort(taken, host);
  const release = (): void => undefined;
  if (wanted === 0) return { port: await free(), warning: undefined, release };
  const claim = taken.has(wanted) ? 'taken' : claimPort(wanted, claims);
  const why = claim === 'taken' ? 'EADDRINUSE' : await whyNotFree(wanted, host);
  if (claim !== 'taken' && why === undefined)
    return { port: wanted, warning: undefined, release: claim };
  if (claim !== 'taken') claim();
  const port = await free();
  const what = why === 'EADDRINUSE' ? 'is taken' : `cannot be opened (${why})`;
  const warning =
    `Port ${wanted} for OTLP ${what}: this shop takes telemetry in on http://${host}:${port}. ` +
    'Choose one with RUSHLIGHT_MONITOR_OTLP_PORT.';
  return { port, warning, release };
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** How to give the claim back; `taken` when another launcher of this user has it. */
function claimPort(port: number, claims: string): 'taken' | (() => void) {
  const folder = join(claims, `otlp-${port}`);
  try {
    for (const path of [claims, folder]) {
      makeFolder(path);
      const { uid } = lstatSync(path);
      // Others can write where temporary files are.
      if (process.getuid !== undefined && uid !== process.getuid()) return () => undefined;
    }
    return takeLock(folder, port).release;
  } catch (error) {
    return error instanceof LaunchError ? 'taken' : () => undefined; // T2
  }
}

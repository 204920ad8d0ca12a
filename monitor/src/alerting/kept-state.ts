// What survives a restart of the monitor: alerts, who was told of them, their history, silences.
//
// K1. A file is replaced as a whole (written beside it, then renamed): a crash leaves the old one.
// K2. A file that cannot be read is put aside and said in the log; the monitor starts without it.
// K3. A firing alert goes on firing, so that nobody is told twice. A pending one goes on where it
//     was: the time in which nobody looked does not count. After `outageMsMax` both are forgotten,
//     as in Prometheus (--rules.alert.for-outage-tolerance, one hour).

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '@rushlight/chassis';
import { z } from 'zod';
import type { ActiveAlert } from './alert-state.ts';
import { SilenceShape } from './silences.ts';

const outageMsMax = 3_600_000;

const LabelsShape = z.record(z.string(), z.string());
const AlertFacts = z.object({
  labels: LabelsShape,
  // JSON has neither NaN nor infinities; the next answer brings the value anyway.
  value: z
    .number()
    .nullable()
    .transform((value) => value ?? Number.NaN),
  annotations: LabelsShape,
  sinceMs: z.number(),
});
const AlertShape = z.discriminatedUnion('status', [
  AlertFacts.extend({ status: z.literal('pending') }),
  AlertFacts.extend({ status: z.literal('firing'), firedAtMs: z.number() }),
]);
const ToldShape = z.object({
  labels: LabelsShape,
  annotations: LabelsShape,
  firedAtMs: z.number(),
});
const MemoryShape = z.record(
  z.string(),
  z.discriminatedUnion('status', [
    z.object({ status: z.literal('waiting'), firstMs: z.number() }),
    z.object({ status: z.literal('told'), atMs: z.number(), told: z.array(ToldShape) }),
  ]),
);

const EpisodeShape = AlertFacts.extend({ firedAtMs: z.number(), resolvedAtMs: z.number() });
/** An alert that fired and ended. */
export type Episode = z.output<typeof EpisodeShape>;

const KeptShape = z.object({
  atMs: z.number(),
  /** By the name of the rule. */
  active: z.record(z.string(), z.array(AlertShape)),
  /** By the name of the notifier. */
  memory: z.record(z.string(), MemoryShape),
  /** The newest last. */
  history: z.array(EpisodeShape),
  silences: z.array(SilenceShape),
});
export type KeptState = z.output<typeof KeptShape>;

export const nothingKept: KeptState = {
  atMs: 0,
  active: {},
  memory: {},
  history: [],
  silences: [],
};

const fileName = 'alerts.json';

/** Where the state is kept. */
export interface Keeper {
  /** What was kept, as it is to be taken up at `nowMs` (K3). It never throws. */
  read(nowMs: number): Promise<KeptState>;
  /** @throws when it is not taken */
  write(kept: KeptState): Promise<void>;
}

/** Keeps it in alerts.json in this folder (K1, K2). */
export function fileKeeper(folder: string, log: Log): Keeper {
  const path = join(folder, fileName);
  return {
    read: async (nowMs) => {
      const text = await readFile(path, 'utf8').catch(() => undefined);
      if (text === undefined) return nothingKept;
      const kept = readKept(text, nowMs);
      if (kept !== undefined) return kept;
      const aside = `${path}.unreadable`;
      await rename(path, aside).catch(() => undefined);
      log.error({ path: aside }, 'the alerts that were kept cannot be read; silences are gone');
      return nothingKept;
    },
    write: async (kept) => {
      await mkdir(folder, { recursive: true });
      await writeFile(`${path}.new`, JSON.stringify(kept));
      await rename(`${path}.new`, path);
    },
  };
}

/** Undefined when the text is not what we wrote. */
export function readKept(text: string, nowMs: number): KeptState | undefined {
  const kept = parse(text);
  return kept === undefined ? undefined : takeUp(kept, nowMs);
}

function parse(text: string): KeptState | undefined {
  try {
    return KeptShape.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function takeUp(kept: KeptState, nowMs: number): KeptState {
  const outageMs = Math.max(0, nowMs - kept.atMs);
  if (outageMs > outageMsMax) return { ...kept, active: {}, memory: {} };
  const moved = (alert: ActiveAlert): ActiveAlert =>
    alert.status === 'pending' ? { ...alert, sinceMs: alert.sinceMs + outageMs } : alert;
  const active = Object.entries(kept.active).map(([name, alerts]) => [name, alerts.map(moved)]);
  return { ...kept, active: Object.fromEntries(active) };
}

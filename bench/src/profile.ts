// The profile of one service: Node writes it when the process ends, and here is its summary.

import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceName } from '@rushlight/contracts';
import { figure, table } from './table.ts';

const root = new URL('../../', import.meta.url).href;
const rowsMax = 40;
const sampleUs = 500;

type Frame = { functionName: string; url: string; lineNumber: number };
/** Moments are microseconds on the monotonic clock of the machine. */
export type CpuProfile = {
  startTime: number;
  nodes: { id: number; callFrame: Frame }[];
  samples: number[];
  timeDeltas: number[];
};

export type Span = { fromUs: number; toUs: number };

export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** Settings with which a service profiles itself, and where it leaves the file. */
export function profileSettings(service: ServiceName) {
  const folder = mkdtempSync(join(tmpdir(), `rushlight-profile-${service}-`));
  const options = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${sampleUs}`];
  return { folder, env: { [service]: { NODE_OPTIONS: options.join(' ') } } };
}

/** Time by function and by package or file, without the callees, in this span. */
export function reportProfiles(folder: string, span: Span): string {
  const files = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  const parts = files.map((name) => {
    const path = join(folder, name);
    const profile = JSON.parse(readFileSync(path, 'utf8')) as CpuProfile;
    return `\n${path} (open it in Chrome's DevTools or at speedscope.app)\n${summarise(profile, span)}`;
  });
  return parts.length > 0 ? parts.join('\n') : `There is no profile in ${folder}.`;
}

/** The frames with the most time of their own; idle time is left out. */
export function summarise(profile: CpuProfile, span: Span): string {
  const { nodes, samples, timeDeltas } = profile;
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byFunction = new Map<string, number>();
  const byPlace = new Map<string, number>();
  let totalUs = 0;
  let atUs = profile.startTime;
  samples.forEach((id, index) => {
    const frame = frames.get(id);
    const us = timeDeltas[index] ?? 0;
    atUs += us;
    if (frame === undefined || frame.functionName === '(idle)') return;
    if (atUs < span.fromUs || atUs > span.toUs) return;
    totalUs += us;
    add(byFunction, nameOf(frame), us);
    add(byPlace, placeOf(frame), us);
  });
  const rows = (sums: Map<string, number>): string[][] =>
    [...sums]
      .sort(([, a], [, b]) => b - a)
      .slice(0, rowsMax)
      .map(([name, us]) => [name, figure(us / 1_000), `${figure((us * 100) / totalUs)} %`]);
  return [
    table(['by place', 'ms', 'share'], rows(byPlace)),
    '',
    table(['by function', 'ms', 'share'], rows(byFunction)),
  ].join('\n');
}

function add(sums: Map<string, number>, name: string, us: number): void {
  sums.set(name, (sums.get(name) ?? 0) + us);
}

function nameOf({ functionName, url, lineNumber }: Frame): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  return url === '' ? name : `${name} ${shortUrl(url)}:${lineNumber + 1}`;
}

function placeOf({ functionName, url }: Frame): string {
  if (url === '') return functionName.startsWith('(') ? functionName : '(native)';
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  const packaged = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  return packaged ?? shortUrl(url);
}

/** From the folder of the package, or of the repository, on. */
function shortUrl(url: string): string {
  const inPackage = /.*node_modules\/(.*)$/.exec(url)?.[1];
  return inPackage ?? (url.startsWith(root) ? url.slice(root.length) : url);
}

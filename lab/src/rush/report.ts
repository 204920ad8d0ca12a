// The certificate for people.

import { badCounts, type Certificate, type Percentiles } from '@rushlight/auditor';

export type Paint = Record<'good' | 'bad' | 'faint', (text: string) => string>;

const violationsShown = 20;

/** Colours, unless NO_COLOR is set or nobody looks. */
export function paintFor(isTerminal: boolean, noColor: string | undefined): Paint {
  const on = isTerminal && (noColor === undefined || noColor === '');
  const code = (number: number) => (text: string) =>
    on ? `\u001b[${number}m${text}\u001b[0m` : text;
  return { good: code(32), bad: code(31), faint: code(2) };
}

export function reportOf(certificate: Certificate, paint: Paint): string {
  const { ok, meals, arrivals, seconds, seed, sold, stockLeft, latencyMs } = certificate;
  const { answers, queuedThenSold, queuedThenRejected, settledPerSecond } = certificate;
  const counts = badCounts.map((name) => [name, certificate[name]] as const);
  const rows: [string, string][] = [
    ['rush', `${meals} meals, ${arrivals} arrivals in ${seconds} s, seed ${seed}`],
    ['sold', `${sold}, ${stockLeft} left (${settledPerSecond} orders/s while there were any)`],
    ['answers', listOf(Object.entries(answers))],
    ['queued', `${queuedThenSold} then sold, ${queuedThenRejected} then rejected`],
    ['accepted', latencyLine(latencyMs.accepted)],
    ['sold out', latencyLine(latencyMs.soldOut)],
    ...faultRows(certificate),
    ...counts.map(([name, count]): [string, string] => [
      name,
      count === 0 ? paint.good('0') : paint.bad(String(count)),
    ]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 3;
  const table = rows.map(([name, text]) => `${paint.faint(name.padEnd(width))}${text}`);
  return [
    ...table,
    ...notCheckedLines(certificate),
    ...violationLines(certificate),
    '',
    ok ? paint.good(verdictOf(certificate)) : paint.bad(verdictOf(certificate)),
  ].join('\n');
}

function verdictOf({ ok, violations, notChecked, ...counts }: Certificate): string {
  if (ok && notChecked.length > 0) return 'What could be checked held; the rest is named above.';
  if (ok) return 'Every invariant held: nothing lost, nothing twice, nobody refused without need.';
  const bad = badCounts.filter((name) => counts[name] > 0);
  const found = bad.map((name) => `${name} ${counts[name]}`).join(', ');
  return found === ''
    ? `Not every invariant held: ${violations.length} violations.`
    : `Not every invariant held: ${found}.`;
}

function latencyLine({ p50, p95, p99, max }: Percentiles): string {
  return `p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms, max ${max} ms`;
}

function listOf(entries: readonly [string, number][]): string {
  const some = entries.filter(([, count]) => count > 0);
  return some.map(([name, count]) => `${name}: ${count}`).join(', ') || 'none';
}

function faultRows({ faults }: Certificate): [string, string][] {
  return (faults as { fault: string; target: string; begunS: number; durationS: number }[]).map(
    ({ fault, target, begunS, durationS }) => [
      'fault',
      `${fault} ${target} at ${begunS} s${durationS > 0 ? ` for ${durationS} s` : ''}`,
    ],
  );
}

function notCheckedLines({ notChecked }: Certificate): string[] {
  return notChecked.map(({ invariant, why }) => `not checked: ${invariant}, ${why}`);
}

function violationLines({ violations }: Certificate): string[] {
  const lines = violations
    .slice(0, violationsShown)
    .map(({ invariant, subject, detail }) => `${invariant} ${subject}: ${detail}`);
  const more = violations.length - violationsShown;
  if (more > 0) lines.push(`and ${more} more; all are in the file of --json`);
  return lines.length === 0 ? [] : ['', ...lines];
}

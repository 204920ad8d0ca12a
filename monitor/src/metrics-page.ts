// The page of all metrics, written from the tables of the contracts and of the rules.

import {
  type LabelValues,
  labelKinds,
  type MetricSpec,
  metricGroups,
  type ProcessName,
  processNames,
  runtimeMetrics,
} from '@rushlight/contracts';
import { ruleGroups } from './alerting/rule-groups.ts';

const head = `# Metrics

<!-- Written by \`npm run metrics -w @rushlight/monitor\`; a test compares it with the tables. -->

Every service answers \`GET /metrics\` in the text format of Prometheus, to this machine alone unless
\`RUSHLIGHT_METRICS_OPEN\` is set, and as OpenMetrics with exemplars to whoever asks for it. The table is
\`contracts/src/telemetry.ts\`; a name, a label or a listed value that is not in it does not compile.

- Every series has \`service\` and \`instance\` besides its own labels.
- A label takes one of the listed values, or of a kind that is bounded by something else than what clients send:
  paths are those of routes, never those that were asked for. A metric has at most 1,000 series; what is beyond
  is counted as \`other\`.
- A counter whose labels are all lists stands at 0 from the start of its process, so that \`rate\` and \`increase\`
  see its first event.
- A thing is counted once, after the commit that made it true: a message that comes again, a request with a known
  key and a refund that was made before count nowhere but in \`orders_retried_total\`.

## How orders add up

A request to place an order ends in one of these, and an accepted order ends once more:

| what became of it | counted as |
| --- | --- |
| taken on | \`orders_accepted_total\` |
| the same key again | \`orders_retried_total{how="repeated"}\` |
| refused, rightly | \`orders_rejected_total\` |
| answered 5xx | \`orders_failed_total{reason="unavailable"}\` or \`{reason="error"}\` |
| accepted, later refused: no money, or no stock after all | \`orders_rejected_total\` |
| accepted, not paid by its deadline | \`orders_failed_total{reason="deadline"}\` |
| accepted, and on its way | \`orders_processed_total\`, once for each status that it reaches |

The alert HighOrderFailureRate and the objectives are made of the same counters. What is malformed (400), not
allowed (401, 403) or still under way (409) is in \`http_requests_total\` alone.
`;

const scraped: readonly (readonly [name: string, help: string])[] = [
  ['up', '1 when the last scrape of the target succeeded, else 0.'],
  ['scrape_duration_seconds', 'How long the scrape took.'],
  ['scrape_samples_scraped', 'Samples that the target exposed.'],
  ['scrape_samples_refused', 'Samples beyond the limit of series; by the monitor only.'],
];

/** The whole of docs/METRICS.md. */
export function metricsPage(): string {
  const groups = Object.entries<Record<string, MetricSpec>>(metricGroups);
  return [
    head,
    ...groups.map(([title, metrics]) => groupSection(title, metrics)),
    runtimeSection(),
    kindsSection(),
    scrapedSection(),
    recordedSection(),
  ].join('\n');
}

function groupSection(title: string, metrics: Readonly<Record<string, MetricSpec>>): string {
  const rows = Object.entries(metrics).map(([name, { kind, unit, labels, help, of }]) => {
    const given = Object.entries(labels).map(([label, values]) => labelText(label, values));
    return [`\`${name}\``, `${kind}, ${unit}`, given.join('<br>'), help, servicesText(of)];
  });
  return section(title, ['metric', 'type, unit', 'labels', 'meaning', 'service'], rows);
}

function labelText(label: string, values: LabelValues): string {
  if (typeof values === 'string') {
    return label === values ? `\`${label}\`` : `\`${label}\`: ${values}`;
  }
  return `\`${label}\`: ${values.map((value) => `\`${value}\``).join(' ')}`;
}

function servicesText(of: readonly ProcessName[]): string {
  if (of.length === processNames.length) return 'all';
  const others = processNames.filter((name) => !of.includes(name));
  return others.length <= 2 ? `all but ${others.join(', ')}` : of.join(', ');
}

function runtimeSection(): string {
  const rows = Object.entries(runtimeMetrics).map(
    ([name, { kind, unit, help, labels, ...rest }]) => [
      `\`${name}\``,
      `${kind}, ${unit}`,
      labels.map((label) => `\`${label}\``).join(' '),
      `${help}${rest.linuxOnly ? ' Linux only.' : ''}`,
    ],
  );
  const text = section(
    'Node.js, of every service',
    ['metric', 'type, unit', 'labels', 'meaning'],
    rows,
  );
  return `${text}\nThe lag of the event loop is that since the last scrape.\n`;
}

function kindsSection(): string {
  const rows = Object.entries(labelKinds).map(([kind, meaning]) => [`\`${kind}\``, meaning]);
  return section('Kinds of labels', ['kind', 'values'], rows);
}

function scrapedSection(): string {
  const rows = scraped.map(([name, help]) => [`\`${name}\``, help]);
  return section('Written by whoever scrapes', ['metric', 'meaning'], rows);
}

function recordedSection(): string {
  const recorded = ruleGroups.flatMap((group) => group.recording.map(({ record }) => record));
  const rows = [...new Set(recorded)].map((record) => [`\`${record}\``]);
  const text = section('Recorded by rules', ['series'], rows);
  return `${text}\nTheir expressions are in \`deploy/prometheus/rushlight.rules.yml\`.\n`;
}

function section(title: string, columns: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |\n`;
  const rule = line(columns.map(() => '---'));
  return `## ${title}\n\n${line(columns)}${rule}${rows.map(line).join('')}`;
}

function escaped(cell: string): string {
  return cell.replaceAll('|', '\\|');
}

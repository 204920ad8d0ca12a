// The part of docs/DASHBOARDS.md that is written from the dashboards.

import type { Dashboard } from './model.ts';

const begin = '<!-- written by npm run dashboards -w @rushlight/grafana: begin -->';
const end = '<!-- end -->';

/**
 * The page with its tables as the dashboards are now.
 *
 * @throws Error when the page has no place for them
 */
export function pageWith(page: string, dashboards: readonly Dashboard[]): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/DASHBOARDS.md has no ${begin} … ${end}`);
  const tables = dashboards.map(sectionOf).join('\n');
  return `${page.slice(0, from)}${begin}\n\n${tables}\n${page.slice(to)}`;
}

function sectionOf({ title, tells, rows }: Dashboard): string {
  const lines = rows.flatMap((row) => [
    `**${row.title}**${row.closed ? ' (closed at first)' : ''}`,
    '',
    '| panel | tells |',
    '| --- | --- |',
    ...row.panels.map((panel) => `| ${panel.title} | ${panel.tells} |`),
    '',
  ]);
  return [`### ${title}`, '', tells, '', ...lines].join('\n');
}

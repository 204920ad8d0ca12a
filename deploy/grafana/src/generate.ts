// Writes dashboards/ and the tables of docs/DASHBOARDS.md: `npm run dashboards -w @rushlight/grafana`.

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dashboardFiles, dashboards } from './index.ts';
import { pageWith } from './page.ts';

const folder = new URL('../dashboards/', import.meta.url);
const files = dashboardFiles();
for (const name of readdirSync(folder)) if (!(name in files)) rmSync(new URL(name, folder));
for (const [name, text] of Object.entries(files)) {
  writeFileSync(new URL(name, folder), text);
  process.stdout.write(`deploy/grafana/dashboards/${name}\n`);
}
const page = new URL('../../../docs/DASHBOARDS.md', import.meta.url);
writeFileSync(page, pageWith(readFileSync(page, 'utf8'), dashboards));
process.stdout.write('docs/DASHBOARDS.md\n');

// Writes deploy/prometheus from the tables: `npm run rules -w @rushlight/monitor`.

import { writeFileSync } from 'node:fs';
import { prometheusFiles } from './alerting/prometheus-files.ts';

const folder = new URL('../../deploy/prometheus/', import.meta.url);
for (const [name, text] of Object.entries(prometheusFiles())) {
  writeFileSync(new URL(name, folder), text);
  process.stdout.write(`deploy/prometheus/${name}\n`);
}

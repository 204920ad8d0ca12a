// Writes docs/METRICS.md from the tables: `npm run metrics -w @rushlight/monitor`.

import { writeFileSync } from 'node:fs';
import { metricsPage } from './metrics-page.ts';

writeFileSync(new URL('../../docs/METRICS.md', import.meta.url), metricsPage());
process.stdout.write('docs/METRICS.md\n');

// Writes deploy/prometheus, and the rules of deploy/kubernetes, from the tables:
// `npm run rules -w @rushlight/monitor`.

import { writeFileSync } from 'node:fs';
import { kubernetesRules, kubernetesRulesPath } from './alerting/kubernetes-rules.ts';
import { prometheusFiles } from './alerting/prometheus-files.ts';

const deploy = new URL('../../deploy/', import.meta.url);
const files = Object.entries(prometheusFiles()).map(
  ([name, text]) => [`prometheus/${name}`, text] as const,
);
for (const [path, text] of [
  ...files,
  [`kubernetes/${kubernetesRulesPath}`, kubernetesRules()] as const,
]) {
  writeFileSync(new URL(path, deploy), text);
  process.stdout.write(`deploy/${path}\n`);
}

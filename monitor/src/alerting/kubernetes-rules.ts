// The same rules as an object of the Prometheus Operator.
//
// O1. A Prometheus of a cluster reads more than the shop, and others have metrics of the same names: every
//     selector is held to the job of our ServiceMonitor. What rules of ours record needs no such hold.

import { parser } from '@prometheus-io/lezer-promql';
import { heading, toYaml, writeGroup } from './prometheus-files.ts';
import { ruleGroups } from './rule-groups.ts';

const job = 'job="rushlight"';

/** The file of deploy/kubernetes that is written from the tables. */
export const kubernetesRulesPath = 'components/prometheus-operator/rushlight.rules.yaml';

export function kubernetesRules(): string {
  const object = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'rushlight' },
    spec: { groups: ruleGroups.map((group) => writeGroup(group, ofJob)) },
  };
  return `${heading}${toYaml(object)}\n`;
}

/** An expression about the shop alone (O1). */
export function ofJob(expr: string): string {
  const insertions: { at: number; text: string }[] = [];
  parser.parse(expr).iterate({
    enter: ({ name, node, to }) => {
      if (name !== 'VectorSelector') return;
      const identifier = node.getChild('Identifier');
      if (identifier && expr.slice(identifier.from, identifier.to).includes(':')) return;
      const matchers = node.getChild('LabelMatchers');
      const isEmpty = matchers && /^\{\s*\}$/.test(expr.slice(matchers.from, matchers.to));
      if (matchers) insertions.push({ at: matchers.from + 1, text: isEmpty ? job : `${job},` });
      else insertions.push({ at: to, text: `{${job}}` });
    },
  });
  return insertions.reduceRight(
    (made, { at, text }) => `${made.slice(0, at)}${text}${made.slice(at)}`,
    expr,
  );
}

// What happens to one line: it passes or not, and gains labels.
//
// P1. A line starts with the labels of its stream: service, instance, level. A field of the same
//     name gets `_extracted` behind it, as in Loki.
// P2. A stage that fails on a line does not drop it: the line has `__error__` from then on, which a
//     filter can ask for. A metric of such a line is an error.

import type { LogRecord } from '../model.ts';
import { parseNumber } from '../promql/literals.ts';
import { matchValue } from '../promql/matchers.ts';
import { compare } from '../promql/operators.ts';
import { compilePattern } from '../promql/pattern.ts';
import type { LabelTest, Stage } from './ast.ts';

export const streamLabels = ['service', 'instance', 'level'] as const;
export const errorLabel = '__error__';

export type LineLabels = Map<string, string>;
/** The labels of a line that passes; undefined for one that does not. */
export type Pipeline = (record: LogRecord) => LineLabels | undefined;

type Step = (line: string, labels: LineLabels) => boolean;

const depthMax = 10;
const fieldsMax = 500;

export function compilePipeline(stages: readonly Stage[]): Pipeline {
  const steps = stages.map(compileStage);
  return (record) => {
    const labels: LineLabels = new Map(streamLabels.map((name) => [name, record[name]]));
    return steps.every((step) => step(record.line, labels)) ? labels : undefined;
  };
}

function compileStage(stage: Stage): Step {
  switch (stage.kind) {
    case 'contains':
      return (line) => line.includes(stage.text);
    case 'lacks':
      return (line) => !line.includes(stage.text);
    case 'matches':
    case 'matches-not': {
      const pattern = compilePattern(stage.pattern);
      const wanted = stage.kind === 'matches';
      return (line) => pattern.occursIn(line) === wanted;
    }
    case 'json':
      return (line, labels) => {
        extractJson(line, labels);
        return true;
      };
    case 'labels': {
      const test = compileTest(stage.test);
      return (_line, labels) => test(labels);
    }
  }
}

export function compileTest(test: LabelTest): (labels: LineLabels) => boolean {
  switch (test.kind) {
    case 'text': {
      const matches = matchValue(test.matcher);
      return (labels) => matches(labels.get(test.matcher.label) ?? '');
    }
    case 'number':
      return (labels) => {
        const text = labels.get(test.label);
        if (text === undefined) return false;
        const value = parseNumber(text);
        if (value !== undefined) return compare(test.operator, value, test.value);
        // Loki keeps the line, and marks it.
        labels.set(errorLabel, 'LabelFilterErr');
        return true;
      };
    case 'both':
    case 'either': {
      const [left, right] = [compileTest(test.left), compileTest(test.right)];
      return test.kind === 'both'
        ? (labels) => left(labels) && right(labels)
        : (labels) => left(labels) || right(labels);
    }
  }
}

function extractJson(line: string, labels: LineLabels): void {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  if (!isObject(value)) {
    labels.set(errorLabel, 'JSONParserErr');
    return;
  }
  const base = new Set(labels.keys());
  extractFields(value, '', 0, (name, text) => {
    const label = base.has(name) ? `${name}_extracted` : name;
    if (text !== '' && labels.size < fieldsMax) labels.set(label, text);
  });
}

/** Nested fields have the names of their parents before them; lists and null are no labels. */
function extractFields(
  fields: object,
  prefix: string,
  depth: number,
  set: (name: string, text: string) => void,
): void {
  for (const [key, value] of Object.entries(fields)) {
    const name = `${prefix}${labelNameOf(key, prefix === '')}`;
    if (isObject(value)) {
      if (depth < depthMax) extractFields(value, `${name}_`, depth + 1, set);
    } else if (
      typeof value === 'string' ||
      typeof value === 'number' ||
      typeof value === 'boolean'
    ) {
      set(name, String(value));
    }
  }
}

function labelNameOf(key: string, isFirst: boolean): string {
  const name = key.replace(/\W/g, '_');
  return isFirst && /^\d/.test(name) ? `_${name}` : name;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

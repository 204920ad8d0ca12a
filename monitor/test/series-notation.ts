// promtool's notation of series, as far as our examples use it
// (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series):
// `1 2 _`, `0+10x60` (0, 10, 20 …, 61 values), `0-1x5`, `_x5` (five missing ones).

import type { Labels } from '../src/model.ts';
import { type Duration, durationMs } from '../src/rule-types.ts';
import { everyMs, type MemorySeries } from '../src/testing/memory-series.ts';

const selector = /^(?<name>[A-Za-z_:][\w:]*)(?:\{(?<labels>.*)\})?$/;
const pair = /\s*(\w+)="((?:[^"\\]|\\.)*)"\s*(?:,|$)/gy;
const number = '[-+]?(?:\\d+\\.?\\d*(?:e[-+]?\\d+)?|NaN|Inf)';
const stepped = new RegExp(`^(${number})([-+]\\d+\\.?\\d*)x(\\d+)$`);
const missing = /^_(?:x(\d+))?$/;
const single = new RegExp(`^${number}$`);

/** @throws Error when something is not in the notation */
export function readSeries(name: string, values: string, interval: Duration): MemorySeries {
  const numbers = values.split(' ').flatMap(readValues);
  return { labels: readLabels(name), samples: everyMs(durationMs(interval), numbers) };
}

function readLabels(text: string): Labels {
  const { name, labels = '' } = selector.exec(text)?.groups ?? {};
  if (name === undefined) throw new Error(`${text} is no series`);
  const read: Record<string, string> = { __name__: name };
  let end = 0;
  for (const [whole, label = '', value = ''] of labels.matchAll(pair)) {
    read[label] = JSON.parse(`"${value}"`);
    end += whole.length;
  }
  if (end !== labels.length) throw new Error(`${text}: "${labels.slice(end)}" is no label`);
  return read;
}

function readValues(text: string): (number | undefined)[] {
  const steps = stepped.exec(text);
  if (steps !== null) {
    const [first, step, count] = [Number(steps[1]), Number(steps[2]), Number(steps[3])];
    return Array.from({ length: count + 1 }, (_, index) => first + step * index);
  }
  const gap = missing.exec(text);
  if (gap !== null) return Array.from({ length: Number(gap[1] ?? 1) }, () => undefined);
  if (single.test(text)) return [Number(text.replace('Inf', 'Infinity'))];
  throw new Error(`"${text}" is no value of a series; write 1, _, 0+1x5 or _x5`);
}

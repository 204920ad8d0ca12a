// Loki's HTTP API (https://grafana.com/docs/loki/latest/reference/loki-http-api/), as functions from
// parameters to answers, so that Grafana takes the monitor for a Loki.
//
// K1. Shapes and status codes are Loki's. Its errors are sentences, sent as text: 400 for what is
//     wrong with the question, 422 for what is too much, 504 for what took too long.
// K2. Instants of lines are nanoseconds in a string, those of metrics seconds.
// K3. A fault of the store is no answer of this API: it is thrown on.

import { LimitError, type LogSource, type Matcher, type Range } from '../model.ts';
import {
  type ApiAnswer,
  givenUp,
  invalid,
  limited,
  matrixSeries,
  parseStepMs,
  parseTimeMs,
  printValue,
  required,
  secondsOf,
} from '../promql/api-answer.ts';
import { QueryError } from '../promql/errors.ts';
import { labelValue } from '../promql/label-sets.ts';
import type { LinesExpression } from './ast.ts';
import { evaluateLines, evaluateMetric, evaluateMetricRange, type LogStream } from './evaluate.ts';
import { parseLogql } from './parse.ts';

type Ask = (parameters: URLSearchParams, signal?: AbortSignal) => Promise<ApiAnswer>;

export type LokiApi = {
  /** `/loki/api/v1/query`: query, time; metrics only, as in Loki. */
  query: Ask;
  /** `/loki/api/v1/query_range`: query, start, end, since, step, limit, direction. */
  queryRange: Ask;
  /** `/loki/api/v1/labels`: start, end, since. */
  labels: Ask;
  /** `/loki/api/v1/label/<name>/values`: query, start, end, since. */
  labelValues(name: string, parameters: URLSearchParams, signal?: AbortSignal): Promise<ApiAnswer>;
  /** `/loki/api/v1/series`: match[], start, end, since. */
  series: Ask;
};

const hourMs = 3_600_000;
const linesDefault = 100;
const linesMax = 5_000;
/** A range is cut into so many steps where none is asked for. */
const stepsDefault = 250;

/** @param nowMs for questions that name no time */
export function lokiApi(source: LogSource, nowMs: () => number): LokiApi {
  const labelSets = async (
    parameters: URLSearchParams,
    signal: AbortSignal,
    all: readonly (readonly Matcher[])[],
  ): Promise<Readonly<Record<string, string>>[]> => {
    const range = rangeOf(parameters, nowMs());
    const found = new Map<string, Readonly<Record<string, string>>>();
    for (const matchers of all) {
      for (const labels of await source.labelSets(matchers, range, signal)) {
        found.set(JSON.stringify(labels), labels);
      }
    }
    return [...found.values()];
  };
  return {
    query: asked(async (parameters, signal) => {
      const expression = parseLogql(required(parameters, 'query'));
      if (expression.kind === 'lines') {
        throw new QueryError(
          'syntax',
          'log queries are not supported as an instant query type, please change your query to ' +
            'a range query type',
        );
      }
      const time = parameters.get('time') ?? '';
      const atMs = time === '' ? nowMs() : instantMs('time', time);
      const samples = await evaluateMetric(expression, atMs, source, signal);
      const result = samples.map(({ labels, value }) => ({
        metric: labels,
        value: [secondsOf(atMs), printValue(value)],
      }));
      return { resultType: 'vector', result, stats: {} };
    }),
    queryRange: asked(async (parameters, signal) => {
      const expression = parseLogql(required(parameters, 'query'));
      const range = rangeOf(parameters, nowMs());
      if (expression.kind === 'lines') {
        const how = { range, ...readingOf(parameters) };
        const streams = await evaluateLines(expression, how, source, signal);
        return { resultType: 'streams', result: streams.map(streamOf), stats: {} };
      }
      const steps = { ...range, stepMs: stepMsOf(parameters, range) };
      const series = await evaluateMetricRange(expression, steps, source, signal);
      return { resultType: 'matrix', result: series.map(matrixSeries), stats: {} };
    }),
    labels: asked(async (parameters, signal) => {
      const sets = await labelSets(parameters, signal, [[]]);
      return [...new Set(sets.flatMap((labels) => Object.keys(labels)))].sort();
    }),
    labelValues: (name, given, ofCaller) =>
      asked(async (parameters, signal) => {
        const query = parameters.get('query') ?? '';
        const matchers = query === '' ? [] : selectorOf('query', query).matchers;
        const sets = await labelSets(parameters, signal, [matchers]);
        const values = new Set(sets.map((labels) => labelValue(labels, name)));
        values.delete('');
        return [...values].sort();
      })(given, ofCaller),
    series: asked(async (parameters, signal) => {
      const texts = [...parameters.getAll('match[]'), ...parameters.getAll('match')];
      if (texts.length === 0) throw invalid('match[]', 'it is missing');
      const all = texts.map((text) => selectorOf('match[]', text).matchers);
      return await labelSets(parameters, signal, all);
    }),
  };
}

function asked(
  answer: (parameters: URLSearchParams, signal: AbortSignal) => Promise<unknown>,
): Ask {
  return async (parameters, ofCaller) => {
    try {
      const data = await answer(parameters, limited(ofCaller, parameters));
      return { status: 200, body: { status: 'success', data } };
    } catch (error) {
      const end = givenUp(error);
      if (end === 'timeout') return { status: 504, body: 'query timed out; ask for less' };
      if (end === 'canceled') return { status: 499, body: 'query was canceled' };
      if (error instanceof LimitError) return { status: 422, body: error.message };
      if (error instanceof QueryError) return { status: 400, body: error.message };
      throw error;
    }
  };
}

/** Nanoseconds, or seconds where there are too few digits for them; or RFC 3339. */
function instantMs(name: string, text: string): number {
  return /^\d{11,19}$/.test(text) ? Number(BigInt(text) / 1_000_000n) : parseTimeMs(name, text);
}

/** The last hour, unless said otherwise. */
function rangeOf(parameters: URLSearchParams, nowMs: number): Range {
  const text = (name: string): string => parameters.get(name) ?? '';
  const toMs = text('end') === '' ? nowMs : instantMs('end', text('end'));
  const sinceMs = text('since') === '' ? hourMs : parseStepMs('since', text('since'));
  const fromMs =
    text('start') === '' ? Math.min(toMs, nowMs) - sinceMs : instantMs('start', text('start'));
  if (toMs < fromMs)
    throw invalid('end', 'end timestamp must not be before or equal to start time');
  return { fromMs, toMs };
}

function stepMsOf(parameters: URLSearchParams, { fromMs, toMs }: Range): number {
  const text = parameters.get('step') ?? '';
  const seconds = Math.max(1, Math.floor((toMs - fromMs) / 1_000 / stepsDefault));
  const stepMs = text === '' ? seconds * 1_000 : parseStepMs('step', text);
  if (stepMs > 0) return stepMs;
  throw invalid('step', 'zero or negative query resolution step widths are not accepted');
}

function readingOf(parameters: URLSearchParams): { limit: number; newestFirst: boolean } {
  const text = parameters.get('limit') ?? '';
  const limit = text === '' ? linesDefault : Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > linesMax) {
    throw invalid('limit', `${text} is not a number from 1 to ${linesMax}`);
  }
  const direction = (parameters.get('direction') ?? 'backward').toLowerCase();
  if (direction !== 'backward' && direction !== 'forward') {
    throw invalid('direction', `${direction} is neither forward nor backward`);
  }
  return { limit, newestFirst: direction === 'backward' };
}

function selectorOf(name: string, text: string): LinesExpression {
  const expression = parseLogql(text);
  if (expression.kind !== 'lines' || expression.stages.length > 0) {
    throw invalid(name, `${text} is no selector, like {service="orders"}`);
  }
  return expression;
}

function streamOf({ labels, lines }: LogStream): unknown {
  return { stream: labels, values: lines.map(({ atUs, line }) => [`${atUs}000`, line]) };
}

// Prometheus' HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/), as functions
// from parameters to answers, so that Grafana takes the monitor for a Prometheus.
//
// H1. Shapes, error types and status codes are Prometheus': bad_data 400, execution 422, timeout
//     503, canceled 499. What the evaluator does not support is bad_data.
// H2. A fault of the store is no answer of this API: it is thrown on.

import { LimitError, type Matcher, type Range, type SeriesSource } from '../model.ts';
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
} from './api-answer.ts';
import { QueryError } from './errors.ts';
import { answerInstant, evaluateRange } from './evaluate.ts';
import { evaluationLimits, type Steps } from './evaluation.ts';
import { labelValue } from './label-sets.ts';
import { parsePromql } from './parse.ts';

/** The release whose answers this evaluator is compared with. */
const comparedWith = '2.42.0';

type Ask = (parameters: URLSearchParams, signal?: AbortSignal) => Promise<ApiAnswer>;

export type PrometheusApi = {
  /** `/api/v1/query`: query, time, timeout. */
  query: Ask;
  /** `/api/v1/query_range`: query, start, end, step, timeout. */
  queryRange: Ask;
  /** `/api/v1/series`: match[], start, end. */
  series: Ask;
  /** `/api/v1/labels`: match[], start, end. */
  labels: Ask;
  /** `/api/v1/label/<name>/values`: match[], start, end. */
  labelValues(name: string, parameters: URLSearchParams, signal?: AbortSignal): Promise<ApiAnswer>;
  /** `/api/v1/metadata`: nothing, for types and help texts are not kept. */
  metadata(): ApiAnswer;
  /** `/api/v1/status/buildinfo`. */
  buildInfo(): ApiAnswer;
};

/** @param nowMs for questions that name no time */
export function prometheusApi(source: SeriesSource, nowMs: () => number): PrometheusApi {
  const rangeOf = (parameters: URLSearchParams): Range => ({
    fromMs: timeOr(parameters, 'start', 0),
    toMs: timeOr(parameters, 'end', nowMs()),
  });
  const labelSets = async (
    parameters: URLSearchParams,
    signal: AbortSignal,
    all: readonly Matcher[][],
  ): Promise<Record<string, string>[]> => {
    const range = rangeOf(parameters);
    const found = new Map<string, Record<string, string>>();
    for (const matchers of all) {
      for (const labels of await source.labelSets(matchers, range, signal)) {
        const sorted = Object.fromEntries(Object.entries(labels).sort(byName));
        found.set(JSON.stringify(sorted), sorted);
      }
    }
    return [...found].sort(byName).map(([, labels]) => labels);
  };
  return {
    query: asked(async (parameters, signal) => {
      const atMs = timeOr(parameters, 'time', nowMs());
      const answer = await answerInstant(required(parameters, 'query'), atMs, source, { signal });
      const seconds = secondsOf(atMs);
      switch (answer.type) {
        case 'scalar':
          return { resultType: 'scalar', result: [seconds, printValue(answer.value)] };
        case 'vector': {
          const result = answer.samples.map(({ labels, value }) => ({
            metric: labels,
            value: [seconds, printValue(value)],
          }));
          return { resultType: 'vector', result };
        }
        case 'matrix':
          return { resultType: 'matrix', result: answer.series.map(matrixSeries) };
      }
    }),
    queryRange: asked(async (parameters, signal) => {
      const steps = stepsOf(parameters);
      const query = required(parameters, 'query');
      const series = await evaluateRange(query, steps, source, { signal });
      return { resultType: 'matrix', result: series.map(matrixSeries) };
    }),
    series: asked((parameters, signal) => {
      const selectors = selectorsOf(parameters);
      if (selectors.length === 0) throw invalid('match[]', 'no match[] parameter provided');
      return labelSets(parameters, signal, selectors);
    }),
    labels: asked(async (parameters, signal) => {
      const sets = await labelSets(parameters, signal, allOr(selectorsOf(parameters)));
      return [...new Set(sets.flatMap((labels) => Object.keys(labels)))].sort();
    }),
    labelValues: (name, given, ofCaller) =>
      asked(async (parameters, signal) => {
        if (!/^[A-Za-z_]\w*$/.test(name)) throw invalid('name', `${name} is no name of a label`);
        const sets = await labelSets(parameters, signal, allOr(selectorsOf(parameters)));
        const values = new Set(sets.map((labels) => labelValue(labels, name)));
        values.delete('');
        return [...values].sort();
      })(given, ofCaller),
    metadata: () => success({}),
    buildInfo: () => {
      const version = `${comparedWith}+rushlight`;
      return success({ version, revision: '', branch: '', buildUser: '', buildDate: '' });
    },
  };
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}

/** A question with its time limit, and its errors as Prometheus says them. */
function asked(
  answer: (parameters: URLSearchParams, signal: AbortSignal) => Promise<unknown>,
): Ask {
  return async (parameters, ofCaller) => {
    try {
      return success(await answer(parameters, limited(ofCaller, parameters)));
    } catch (error) {
      return failure(error);
    }
  };
}

function success(data: unknown): ApiAnswer {
  return { status: 200, body: { status: 'success', data } };
}

function failure(error: unknown): ApiAnswer {
  const said = (status: number, errorType: string, sentence: string): ApiAnswer => ({
    status,
    body: { status: 'error', errorType, error: sentence },
  });
  const end = givenUp(error);
  if (end === 'timeout') {
    return said(503, end, 'query timed out in expression evaluation; ask for less');
  }
  if (end === 'canceled') return said(499, end, 'query was canceled');
  if (error instanceof LimitError) return said(422, 'execution', error.message);
  if (!(error instanceof QueryError)) throw error;
  return error.kind === 'execution'
    ? said(422, 'execution', error.message)
    : said(400, 'bad_data', error.message);
}

function timeOr(parameters: URLSearchParams, name: string, otherwiseMs: number): number {
  const text = parameters.get(name) ?? '';
  return text === '' ? otherwiseMs : parseTimeMs(name, text);
}

function stepsOf(parameters: URLSearchParams): Steps {
  const fromMs = parseTimeMs('start', required(parameters, 'start'));
  const toMs = parseTimeMs('end', required(parameters, 'end'));
  if (toMs < fromMs) throw invalid('end', 'end timestamp must not be before start time');
  const stepMs = parseStepMs('step', required(parameters, 'step'));
  if (stepMs <= 0) {
    throw invalid('step', 'zero or negative query resolution step widths are not accepted');
  }
  if ((toMs - fromMs) / stepMs > evaluationLimits.stepsMax) {
    throw new QueryError(
      'syntax',
      `exceeded maximum resolution of ${evaluationLimits.stepsMax} points per timeseries. ` +
        'Try decreasing the query resolution (?step=XX)',
    );
  }
  return { fromMs, toMs, stepMs };
}

function selectorsOf(parameters: URLSearchParams): Matcher[][] {
  return parameters.getAll('match[]').map((text) => {
    const expression = parsePromql(text);
    if (expression.kind !== 'selector' || expression.offsetMs !== 0) {
      throw invalid('match[]', `${text} is no selector, like name{label="value"}`);
    }
    return [...expression.matchers];
  });
}

function allOr(selectors: Matcher[][]): Matcher[][] {
  return selectors.length === 0 ? [[]] : selectors;
}

// Compares answers of Prometheus' HTTP API value by value.

import { z } from 'zod';

const point = z.tuple([z.number(), z.string()]);
const metric = z.record(z.string(), z.string());
const answer = z.discriminatedUnion('status', [
  z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() }),
  z.object({
    status: z.literal('success'),
    data: z.discriminatedUnion('resultType', [
      z.object({ resultType: z.literal('scalar'), result: point }),
      z.object({
        resultType: z.literal('vector'),
        result: z.array(z.object({ metric, value: point })),
      }),
      z.object({
        resultType: z.literal('matrix'),
        result: z.array(z.object({ metric, values: z.array(point) })),
      }),
    ]),
  }),
]);

export type Comparison = {
  /** What differs first, as a sentence. */
  difference?: string;
  /** How many values were compared; none where both refused, or found nothing. */
  values: number;
};

type Reply = { status: number; body: unknown };
type Flat = Map<string, readonly (readonly [number, string])[]>;

const toleranceShare = 1e-9;

export function compareAnswers(theirs: Reply, ours: Reply): Comparison {
  const [wanted, found] = [answer.parse(theirs.body), answer.parse(ours.body)];
  const said = `Prometheus: ${brief(theirs.body)}\nours: ${brief(ours.body)}`;
  if (theirs.status !== ours.status) {
    return { difference: `${theirs.status} and ${ours.status}\n${said}`, values: 0 };
  }
  if (wanted.status === 'error' || found.status === 'error') {
    const isSame =
      wanted.status === 'error' && found.status === 'error' && wanted.errorType === found.errorType;
    return isSame ? { values: 0 } : { difference: `errors differ\n${said}`, values: 0 };
  }
  if (wanted.data.resultType !== found.data.resultType) {
    return { difference: `kinds differ\n${said}`, values: 0 };
  }
  const [expected, actual] = [flat(wanted.data), flat(found.data)];
  let values = 0;
  for (const labels of new Set([...expected.keys(), ...actual.keys()])) {
    const [one, other] = [expected.get(labels) ?? [], actual.get(labels) ?? []];
    const at = differsAt(one, other);
    if (at !== undefined) {
      const both = `${JSON.stringify(one[at])} and ${JSON.stringify(other[at])}`;
      return { difference: `${labels} point ${at}: ${both}`, values };
    }
    values += one.length;
  }
  return { values };
}

type Data = (z.infer<typeof answer> & { status: 'success' })['data'];

function flat(data: Data): Flat {
  const key = (labels: Record<string, string>): string =>
    JSON.stringify(Object.entries(labels).sort());
  switch (data.resultType) {
    case 'scalar':
      return new Map([['a number', [data.result]]]);
    case 'vector':
      return new Map(data.result.map((one) => [key(one.metric), [one.value]]));
    case 'matrix':
      return new Map(data.result.map((one) => [key(one.metric), one.values]));
  }
}

function differsAt(
  one: readonly (readonly [number, string])[],
  other: readonly (readonly [number, string])[],
): number | undefined {
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    const [a, b] = [one[index], other[index]];
    if (a === undefined || b === undefined || a[0] !== b[0] || !isClose(a[1], b[1])) return index;
  }
  return undefined;
}

function isClose(a: string, b: string): boolean {
  if (a === b) return true;
  const [x, y] = [Number(a), Number(b)];
  return Math.abs(x - y) <= toleranceShare * Math.max(Math.abs(x), Math.abs(y));
}

function brief(body: unknown): string {
  return JSON.stringify(body).slice(0, 600);
}

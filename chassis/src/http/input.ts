// What a request holds, checked against its contract.

import { ApiError, type Input, type Route } from '@rushlight/contracts';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';

const parts = ['params', 'query', 'headers', 'body'] as const;
type PartName = (typeof parts)[number];
type Mistake = { at: string; rule: string };

const namesInMistakes = { params: 'path', query: 'query', headers: 'headers', body: 'body' };
const mistakesMax = 10;

/** A function that throws ApiError('bad_request') with all mistakes of a request. */
export function inputReader<R extends Route>(route: R): (request: FastifyRequest) => Input<R> {
  const checked: (readonly [PartName, z.ZodType])[] = [];
  for (const part of parts) {
    const schema = route[part];
    if (schema) checked.push([part, schema]);
  }
  return (request) => {
    const input: Record<PartName, unknown> = {
      params: undefined,
      query: undefined,
      headers: undefined,
      body: undefined,
    };
    let mistakes: Mistake[] | undefined;
    for (const [part, schema] of checked) {
      const parsed = schema.safeParse(request[part]);
      if (parsed.success) input[part] = parsed.data;
      else mistakes = [...(mistakes ?? []), ...mistakesOf(namesInMistakes[part], parsed.error)];
    }
    if (mistakes) throw badRequest(mistakes);
    return input as Input<R>;
  };
}

function mistakesOf(part: string, error: z.ZodError): Mistake[] {
  return error.issues
    .slice(0, mistakesMax)
    .map((issue) => ({ at: [part, ...issue.path].join('.'), rule: issue.message }));
}

function badRequest(mistakes: readonly Mistake[]): ApiError {
  const why = `${mistakes[0]?.at}: ${mistakes[0]?.rule}`;
  return new ApiError('bad_request', { why, mistakes });
}

// The API page, made of the contracts: what it says is what the server checks.

import { commonErrors, type ErrorCode, errors, problem, type Route } from '@rushlight/contracts';
import { z } from 'zod';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of these routes. */
export function openApi(api: Readonly<Record<string, Route>>): Json {
  const paths: Record<string, Json> = {};
  for (const [name, route] of Object.entries(api)) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(name, route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rushlight',
      version: '1',
      description:
        'Order meals in a rush. Money is integer cents, times are ISO 8601 in UTC, every 4xx and ' +
        '5xx is a problem document (RFC 9457) with a stable `code`: see /api/docs/errors.',
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Problem: problemSchema() },
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function operationOf(name: string, route: Route): Json {
  const { who } = route;
  const needs = typeof who === 'string' ? who : who.join(', ');
  const lab = route.lab ? ' Only while the lab is on.' : '';
  return {
    operationId: name,
    summary: route.summary,
    description: `For ${needs}.${lab}`,
    tags: [route.lab ? 'lab' : tagOf(route.path)],
    security: who === 'anyone' ? [] : [{ token: [] }],
    parameters: [
      ...parametersOf('path', route.params),
      ...parametersOf('query', route.query),
      ...parametersOf('header', route.headers),
      ...(route.stream ? [lastEventId] : []),
    ],
    ...(route.body ? { requestBody: bodyOf(route.body) } : {}),
    responses: { ...repliesOf(route), ...problemsOf(route) },
  };
}

function tagOf(path: string): string {
  const [, , first, second] = path.split('/');
  return (first === 'monitor' ? first : second) ?? 'other';
}

const lastEventId = {
  name: 'last-event-id',
  in: 'header',
  required: false,
  description: 'The id of the last event that you have; the stream goes on after it.',
  schema: { type: 'string' },
};

function parametersOf(where: 'path' | 'query' | 'header', fields: z.ZodObject | undefined): Json[] {
  if (!fields) return [];
  const schema = schemaOf(fields, 'input') as { properties?: Json; required?: string[] };
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || (schema.required ?? []).includes(name),
    schema: property,
  }));
}

function bodyOf(body: z.ZodType): Json {
  return { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } };
}

function repliesOf(route: Route): Json {
  const replies = Object.entries(route.replies).map(([status, body]) => {
    const description = route.stream ? 'Server-sent events.' : 'As asked.';
    if (route.stream) return [status, { description, content: { 'text/event-stream': {} } }];
    if (!body) return [status, { description: 'Done.' }];
    const content = { 'application/json': { schema: schemaOf(body, 'output') } };
    return [status, { description, content }];
  });
  return Object.fromEntries(replies);
}

/** Every error that a route may answer, whatever its contract names. */
export function errorsOf(route: Route): ErrorCode[] {
  const codes: ErrorCode[] = [...commonErrors, ...route.errors];
  if (route.who !== 'anyone') codes.push('unauthorized', 'forbidden');
  if (route.body) codes.push('body_too_large', 'unsupported_media_type');
  if (route.method !== 'GET') codes.push('outcome_unknown');
  if (route.lab) codes.push('lab_off');
  return [...new Set(codes)];
}

function problemsOf(route: Route): Json {
  const byStatus = Map.groupBy(errorsOf(route), (code) => errors[code].http);
  const responses = [...byStatus].map(([status, codes]) => {
    const examples = codes.map((code) => [code, { value: problem(code) }]);
    const media = {
      schema: { $ref: '#/components/schemas/Problem' },
      examples: Object.fromEntries(examples),
    };
    const waits = codes.some((code) => errors[code].retry);
    return [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${errors[code].title}.`).join(' '),
        ...(waits ? { headers: { 'Retry-After': retryAfter } } : {}),
        content: { 'application/problem+json': media },
      },
    ];
  });
  return Object.fromEntries(responses);
}

const retryAfter = {
  description: 'Seconds until the same request may be sent again.',
  schema: { type: 'integer', minimum: 1 },
};

function problemSchema(): Json {
  return {
    type: 'object',
    required: ['type', 'title', 'status', 'code', 'detail'],
    properties: {
      type: { type: 'string', format: 'uri-reference' },
      title: { type: 'string' },
      status: { type: 'integer' },
      code: { type: 'string', enum: Object.keys(errors) },
      detail: { type: 'string' },
    },
    additionalProperties: true,
  };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

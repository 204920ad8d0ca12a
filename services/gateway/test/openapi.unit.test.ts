import { errors, monitorApiAtGateway, publicApi, type Route } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { errorsOf, openApi } from '../src/openapi.ts';

type Operation = {
  operationId: string;
  parameters: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { content?: Record<string, { schema?: object; examples?: object }> }>;
  security: object[];
};
const api = { ...publicApi, ...monitorApiAtGateway };
const document = openApi(api) as {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: object; securitySchemes: object };
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);
const routes = Object.entries<Route>(api);

test('every public route is on the page, and nothing else is', () => {
  const listed = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`);
  const known = routes.map(
    ([, route]) => `${route.method} ${route.path.replace(/:(\w+)/g, '{$1}')}`,
  );
  expect(listed.sort()).toEqual(known.sort());
  expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(
    routes.length,
  );
});

test('no route of the monitor has the name or the path of another', () => {
  expect(routes).toHaveLength(
    Object.keys(publicApi).length + Object.keys(monitorApiAtGateway).length,
  );
  for (const route of Object.values(monitorApiAtGateway)) {
    expect(route.path).toMatch(/^\/api\/monitor\/[a-z]/);
    expect(route.who).toEqual(['admin']);
  }
});

test('it is OpenAPI 3.1 with what that asks of it', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  for (const { path, operation } of operations) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const declared = operation.parameters.filter((one) => one.in === 'path');
    expect(declared.map(({ name }) => name)).toEqual(inPath);
    expect(declared.every(({ required }) => required)).toBe(true);
    for (const status of Object.keys(operation.responses)) expect(status).toMatch(/^[1-5]\d\d$/);
  }
});

test('every reference leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)];
  expect(references.length).toBeGreaterThan(0);
  for (const [, reference] of references) {
    const found = (reference ?? '')
      .split('/')
      .slice(1)
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
    expect(found, reference).toBeDefined();
  }
});

test.each(routes)(
  '%s: replies, errors, body and security are those of its contract',
  (name, route) => {
    const { operation } = operations.find((one) => one.operation.operationId === name) ?? {};
    const statuses = new Set([
      ...Object.keys(route.replies),
      ...errorsOf(route).map((code) => String(errors[code].http)),
    ]);
    expect(new Set(Object.keys(operation?.responses ?? {}))).toEqual(statuses);
    expect(operation?.requestBody !== undefined).toBe(route.body !== undefined);
    expect(operation?.security).toHaveLength(route.who === 'anyone' ? 0 : 1);
    for (const code of errorsOf(route)) {
      const media = operation?.responses[errors[code].http]?.content?.['application/problem+json'];
      expect(Object.keys(media?.examples ?? {})).toContain(code);
    }
  },
);

test('bodies and parameters are as callers send them, not as we read them', () => {
  const list = document.paths['/api/v1/orders']?.['get'];
  const limit = list?.parameters.find(({ name }) => name === 'limit');
  expect(limit).toMatchObject({ in: 'query', required: false, schema: { type: 'string' } });
  const place = document.paths['/api/v1/orders']?.['post'];
  expect(place?.parameters).toContainEqual(
    expect.objectContaining({ name: 'idempotency-key', in: 'header', required: true }),
  );
  expect(place?.requestBody?.content['application/json']?.schema).toMatchObject({
    type: 'object',
    required: ['lines'],
    additionalProperties: false,
  });
});

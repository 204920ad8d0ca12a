import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { until } from '@rushlight/chassis/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { decodeAnswer, encodeRequest } from './otlp-encoder.ts';
import { type ReceiverUnderTest, send, startReceiver } from './otlp-under-test.ts';
import { openStore, temporaryFolder } from './store-under-test.ts';

const nowMs = Date.now();
const protobuf = { 'content-type': 'application/x-protobuf' };
const json = { 'content-type': 'application/json' };
const limits = { bodyBytesMax: 200_000, inflatedBytesMax: 300_000, requestsMax: 64 };

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const startTimeUnixNano = `${nowMs}000000`;

/** Hundreds of requests, one after another. */
const slow = { timeout: 120_000 };

let receiver: ReceiverUnderTest;

beforeAll(async () => {
  receiver = await startReceiver(nowMs, limits);
});

beforeEach(() => {
  for (const list of [receiver.spans, receiver.logs, receiver.samples]) list.length = 0;
});

afterAll(async () => {
  await receiver[Symbol.asyncDispose]();
});

const request = (...spans: object[]) => ({
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
      scopeSpans: [{ spans }],
    },
  ],
});
const span = {
  traceId,
  spanId,
  name: 'GET /',
  startTimeUnixNano,
  endTimeUnixNano: startTimeUnixNano,
};

type Exporter = ConstructorParameters<typeof BatchSpanProcessor>[0]['exporter'];

/** A trace of two spans, by the SDK. */
async function sendBySdk(exporter: Exporter): Promise<void> {
  const attributes = { 'service.name': 'shop', 'service.instance.id': 'shop-7' };
  const provider = new TracerProvider({
    resource: {
      attributes,
      merge: () => provider as never,
      getRawAttributes: () => Object.entries(attributes),
    },
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('test');
  const parent = tracer.startSpan('GET /menu', {
    kind: SpanKind.SERVER,
    attributes: { 'http.route': '/menu', size: 3, share: 0.25, hot: true, tags: ['a', 'b'] },
  });
  parent.addEvent('cache.miss', { key: 'menu' });
  parent.recordException(new Error('no menu'));
  parent.setStatus({ code: SpanStatusCode.ERROR, message: 'no menu' });
  const link = { context: { traceId, spanId, traceFlags: 1 }, attributes: { kind: 'batch' } };
  tracer.startSpan('SELECT', { links: [link] }).end();
  parent.end();
  await provider.forceFlush();
  await provider.shutdown();
}

test.each([
  ['protobuf', '', (url: string) => new ProtobufExporter({ url })],
  ['JSON', '', (url: string) => new JsonExporter({ url })],
  [
    'protobuf',
    ', packed',
    (url: string) => new ProtobufExporter({ url, compression: 'gzip' as never }),
  ],
])('the OpenTelemetry SDK sends its spans: %s%s', async (_, __, exporterOf) => {
  await sendBySdk(exporterOf(`${receiver.url}/v1/traces`));
  expect(receiver.spans).toHaveLength(2);
  const served = receiver.spans.find(({ name }) => name === 'GET /menu');
  expect(served).toMatchObject({
    service: 'shop',
    instance: 'shop-7',
    kind: 'server',
    status: 'error',
    statusMessage: 'no menu',
    attributes: { 'http.route': '/menu', size: 3, share: 0.25, hot: true, tags: ['a', 'b'] },
    links: [],
  });
  expect(served?.parentSpanId).toBeUndefined();
  expect(Math.abs((served?.startUs ?? 0) / 1_000 - Date.now())).toBeLessThan(60_000);
  expect(served?.events.map(({ name }) => name)).toEqual(['cache.miss', 'exception']);
  expect(served?.events[0]?.attributes).toEqual({ key: 'menu' });
  const inner = receiver.spans.find(({ name }) => name === 'SELECT');
  expect(inner?.links).toEqual([{ traceId, spanId, attributes: { kind: 'batch' } }]);
});

test('what an SDK sends can be read from the store', async () => {
  using folder = temporaryFolder();
  await using store = await openStore(folder.path);
  await sendBySdk(new ProtobufExporter({ url: `${receiver.url}/v1/traces` }));
  store.intake.spans(receiver.spans);
  await store.flush();
  const id = receiver.spans[0]?.traceId ?? '';
  const kept = await store.reads.spansOfTrace(id);
  expect(kept).toEqual(receiver.spans.filter((kept) => kept.traceId === id));
});

test('both encodings give the same span, with every kind of value', async () => {
  const attributes = [
    { key: 'text', value: { stringValue: 'ä🍲' } },
    { key: 'whole', value: { intValue: '-7' } },
    { key: 'large', value: { intValue: '9223372036854775807' } },
    { key: 'double', value: { doubleValue: -0.5 } },
    { key: 'nan', value: { doubleValue: 'NaN' } },
    { key: 'bool', value: { boolValue: false } },
    { key: 'bytes', value: { bytesValue: 'AQI=' } },
    { key: 'list', value: { arrayValue: { values: [{ stringValue: 'a' }, { intValue: '1' }] } } },
    { key: 'map', value: { kvlistValue: { values: [{ key: 'k', value: { boolValue: true } }] } } },
    { key: 'empty', value: {} },
    { key: '__proto__', value: { stringValue: 'x' } },
  ];
  const full = {
    ...span,
    parentSpanId: '00f067aa0ba902b7',
    kind: 5,
    endTimeUnixNano: `${BigInt(startTimeUnixNano) + 1_234_567n}`,
    attributes,
    events: [{ timeUnixNano: startTimeUnixNano, name: 'e', attributes: attributes.slice(0, 1) }],
    links: [{ traceId, spanId }],
    status: { code: 1, message: 'fine' },
    flags: 257,
    unknownField: { deep: [1] },
  };
  const asJson = await send(`${receiver.url}/v1/traces`, JSON.stringify(request(full)), json);
  const { unknownField, ...known } = full;
  const bytes = encodeRequest('TraceRequest', request(known));
  const asProtobuf = await send(`${receiver.url}/v1/traces`, bytes, protobuf);
  expect([asJson.status, asJson.type, asJson.body.toString()]).toEqual([
    ...[200, 'application/json', '{}'],
  ]);
  expect([asProtobuf.status, asProtobuf.type, asProtobuf.body.length]).toEqual([
    ...[200, 'application/x-protobuf', 0],
  ]);
  const expected = {
    traceId,
    spanId,
    parentSpanId: '00f067aa0ba902b7',
    service: 'shop',
    instance: '',
    name: 'GET /',
    kind: 'consumer',
    startUs: nowMs * 1_000,
    durationUs: 1_235,
    status: 'ok',
    statusMessage: 'fine',
    attributes: {
      ...{ text: 'ä🍲', whole: -7, large: '9223372036854775807', double: -0.5, nan: 'NaN' },
      ...{ bool: false, bytes: 'AQI=', list: ['a', 1], map: '{"k":true}' },
    },
    events: [{ atUs: nowMs * 1_000, name: 'e', attributes: { text: 'ä🍲' } }],
    links: [{ traceId, spanId, attributes: {} }],
  };
  expect(receiver.spans).toEqual([expected, expected]);
});

test('records that cannot be kept are refused by number and reason, the others are taken', async () => {
  const far = `${nowMs + 86_400_000}000000`;
  const body = request(
    span,
    { ...span, traceId: '00000000000000000000000000000000' },
    { ...span, spanId: 'abc' },
    { ...span, startTimeUnixNano: far },
    { ...span, startTimeUnixNano: '0' },
  );
  const message =
    '1 refused: a trace id must be 16 bytes that are not all zero; ' +
    '1 refused: a span id must be 8 bytes that are not all zero; ' +
    '2 refused: a span must have a start, which is not in the future';
  const asJson = await send(`${receiver.url}/v1/traces`, JSON.stringify(body));
  expect(JSON.parse(asJson.body.toString())).toEqual({
    partialSuccess: { rejectedSpans: '4', errorMessage: message },
  });
  const bytes = encodeRequest('TraceRequest', request(span, { ...span, spanId: '' }));
  const asProtobuf = await send(`${receiver.url}/v1/traces`, bytes, protobuf);
  expect(decodeAnswer('Answer', asProtobuf.body)).toMatchObject({
    partialSuccess: { rejected: '1' },
  });
  expect([asJson.status, asProtobuf.status, receiver.spans.length]).toEqual([200, 200, 2]);
});

test('a packing is known in capitals too', async () => {
  const headers = { ...json, 'content-encoding': 'GZIP' };
  const answer = await send(
    `${receiver.url}/v1/traces`,
    gzipSync(JSON.stringify(request(span))),
    headers,
  );
  expect([answer.status, receiver.spans.length]).toEqual([200, 1]);
});

test('a metric that would pass for one of ours is refused in the answer', async () => {
  const dataPoints = [{ timeUnixNano: startTimeUnixNano, asInt: '0' }];
  const metrics = [
    { name: 'up', gauge: { dataPoints } },
    { name: 'oven_heat', gauge: { dataPoints } },
  ];
  const attributes = [{ key: 'service.name', value: { stringValue: 'bakery' } }];
  const body = { resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ metrics }] }] };
  const answer = await send(`${receiver.url}/v1/metrics`, JSON.stringify(body));
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.body.toString()).partialSuccess).toEqual({
    rejectedDataPoints: '1',
    errorMessage: '1 refused: the name of the metric is one of the shop or of the monitor',
  });
  expect(receiver.samples.map(({ name }) => name)).toEqual(['oven_heat', 'target_info']);
});

const bomb = gzipSync(Buffer.alloc(50_000_000));

test.each([
  [400, 'no protobuf', protobuf, Buffer.from('hello, this is text')],
  [400, 'a cut message', protobuf, Buffer.from([10, 200, 1, 3])],
  [400, 'field 0', protobuf, Buffer.from([2, 0])],
  [400, 'a group', protobuf, Buffer.from([11])],
  [400, 'an endless number', protobuf, Buffer.alloc(40, 255)],
  [400, 'no JSON', json, '{"resourceSpans": ['],
  [400, 'an empty body', json, ''],
  [400, 'JSON of another shape', json, '{"resourceSpans": 7}'],
  [400, 'a list', json, '[]'],
  [400, 'a number as name', json, JSON.stringify(request({ ...span, name: 7 }))],
  [400, 'a text as time', json, JSON.stringify(request({ ...span, startTimeUnixNano: 'noon' }))],
  [400, 'no gzip', { ...json, 'content-encoding': 'gzip' }, 'hello'],
  [400, 'a cut gzip', { ...json, 'content-encoding': 'gzip' }, gzipSync('{}').subarray(0, 12)],
  [413, 'too much', protobuf, Buffer.alloc(limits.bodyBytesMax + 1)],
  [413, 'a gzip bomb', { ...protobuf, 'content-encoding': 'gzip' }, bomb],
  [415, 'another type', { 'content-type': 'text/plain' }, '{}'],
  [415, 'another packing', { ...json, 'content-encoding': 'br' }, '{}'],
  [415, 'no type', { 'content-type': '' }, '{}'],
] as const)('%d for %s', async (status, _, headers, body) => {
  const answer = await send(`${receiver.url}/v1/traces`, body, headers);
  expect(answer.status).toBe(status);
  expect(receiver.spans).toEqual([]);
  const isProtobuf = headers['content-type'] === protobuf['content-type'];
  expect(answer.type).toContain(isProtobuf ? 'application/x-protobuf' : 'application/json');
  const told = isProtobuf
    ? decodeAnswer('RpcStatus', answer.body)
    : JSON.parse(answer.body.toString());
  expect(told).toEqual({ code: status === 413 ? 8 : 3, message: expect.stringMatching(/.+/) });
});

test('what is nested too deep is refused, not followed', async () => {
  let value: object = { stringValue: 'x' };
  for (let depth = 0; depth < 1_000; depth += 1) value = { arrayValue: { values: [value] } };
  const body = JSON.stringify(request({ ...span, attributes: [{ key: 'a', value }] }));
  const answer = await send(`${receiver.url}/v1/traces`, body);
  expect([answer.status, answer.body.toString()]).toEqual([
    ...[400, expect.stringContaining('nested more than 16 deep')],
  ]);
});

test('more requests at once than the limit are asked to come back', async () => {
  await using busy = await startReceiver(nowMs, { ...limits, requestsMax: 1 });
  const pending = Promise.withResolvers<void>();
  const first = fetch(`${busy.url}/v1/traces`, {
    method: 'POST',
    headers: json,
    duplex: 'half',
    body: new ReadableStream({
      async start(controller) {
        controller.enqueue(Buffer.from('{'));
        await pending.promise;
        controller.enqueue(Buffer.from('}'));
        controller.close();
      },
    }),
  } as RequestInit);
  await until(async () => (await send(`${busy.url}/v1/traces`, '{}')).status === 503, {
    what: 'a refusal',
    deadlineMs: 20_000,
  });
  const refused = await send(`${busy.url}/v1/traces`, '{}');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  pending.resolve();
  expect((await first).status).toBe(200);
  await until(async () => (await send(`${busy.url}/v1/traces`, '{}')).status === 200, {
    what: 'room again',
    deadlineMs: 20_000,
  });
});

test('a sender that goes away in the middle frees its place', async () => {
  await using busy = await startReceiver(nowMs, { ...limits, requestsMax: 1 });
  const leaving = new AbortController();
  const first = fetch(`${busy.url}/v1/traces`, {
    method: 'POST',
    headers: json,
    duplex: 'half',
    signal: leaving.signal,
    body: new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{')) }),
  } as RequestInit).catch(() => undefined);
  await until(async () => (await send(`${busy.url}/v1/traces`, '{}')).status === 503, {
    what: 'a refusal',
    deadlineMs: 20_000,
  });
  leaving.abort();
  await first;
  await until(async () => (await send(`${busy.url}/v1/traces`, '{}')).status === 200, {
    what: 'room again',
    deadlineMs: 20_000,
  });
});

/** What the SDK puts on the wire. */
async function capturedBody(): Promise<Buffer> {
  const bodies: Buffer[] = [];
  const server = createServer((incoming, answer) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      bodies.push(Buffer.concat(chunks));
      answer.writeHead(200, protobuf).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await sendBySdk(new ProtobufExporter({ url: `http://127.0.0.1:${port}/v1/traces` }));
  await new Promise((done) => server.close(done));
  return bodies[0] ?? Buffer.alloc(0);
}

const path = fc.constantFrom('/v1/traces', '/v1/metrics', '/v1/logs');
const headers = fc.constantFrom(protobuf, json, { ...protobuf, 'content-encoding': 'gzip' });

test('whatever bytes are sent, the answer is 200 or 4xx', slow, async () => {
  const valid = await capturedBody();
  expect(valid.length).toBeGreaterThan(300);
  const cut = fc.nat(valid.length).map((length) => valid.subarray(0, length));
  const changed = fc
    .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
    .map((changes) => {
      const bytes = Buffer.from(valid);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  const wrongJson = fc.json({ maxDepth: 5 }).map((text) => Buffer.from(text));
  const body = fc.oneof(fc.uint8Array({ maxLength: 200 }), cut, changed, wrongJson);
  await fc.assert(
    fc.asyncProperty(path, headers, body, async (to, given, bytes) => {
      const { status } = await send(`${receiver.url}${to}`, bytes, given);
      expect([200, 400]).toContain(status);
    }),
    { numRuns: 200 },
  );
});

test('JSON with values of wrong types is 200 or 400', slow, async () => {
  const wrong = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('1', '-1', 1e30, -0));
  const anySpan = fc.record(
    {
      traceId: fc.oneof(fc.constant(traceId), wrong),
      spanId: fc.oneof(fc.constant(spanId), wrong),
      name: wrong,
      kind: wrong,
      startTimeUnixNano: fc.oneof(fc.constant(startTimeUnixNano), wrong),
      endTimeUnixNano: wrong,
      attributes: fc.oneof(fc.array(fc.record({ key: wrong, value: wrong })), wrong),
      events: fc.oneof(fc.array(fc.record({ timeUnixNano: wrong, name: wrong })), wrong),
      status: wrong,
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anySpan, { maxLength: 3 }), async (spans) => {
      const answer = await send(`${receiver.url}/v1/traces`, JSON.stringify(request(...spans)));
      expect([200, 400]).toContain(answer.status);
    }),
    { numRuns: 200 },
  );
  for (const { startUs, durationUs } of receiver.spans) {
    expect(Number.isInteger(startUs) && Number.isInteger(durationUs)).toBe(true);
  }
});

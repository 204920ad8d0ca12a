// A trace request as an SDK sends it, for measurements: protobuf, spans like those of our services.

import { bytesField, fixed64Field, varintField } from '../otlp/wire.ts';

const attributes = (seed: number): [string, string | number][] => [
  ['http.request.method', 'POST'],
  ['http.route', '/api/orders'],
  ['http.response.status_code', 201],
  ['server.port', 4_101],
  ['order.id', `0198-${seed.toString(16).padStart(12, '0')}`],
  ['db.system.name', 'postgresql'],
  ['user_agent.original', 'k6/0.49.0 (https://k6.io/)'],
  ['batch.size', seed % 300],
];

export type TraceBodyOptions = {
  spans: number;
  /** Different ones give different ids. */
  seed: number;
  startUs: number;
};

/** Eight spans a trace, eight attributes a span. */
export function traceBody({ spans, seed, startUs }: TraceBodyOptions): Buffer {
  const resource = bytesField(1, bytesField(1, keyValue('service.name', 'orders')));
  const all = Array.from({ length: spans }, (_, index) => {
    const number = seed * spans + index;
    return bytesField(2, span(number, startUs + index * 10));
  });
  return bytesField(1, Buffer.concat([resource, bytesField(2, Buffer.concat(all))]));
}

function span(number: number, startUs: number): Buffer {
  const trace = mixed(Math.floor(number / 8), 16);
  return Buffer.concat([
    bytesField(1, trace),
    bytesField(2, mixed(number, 8)),
    bytesField(4, mixed(number - (number % 8), 8)),
    bytesField(5, Buffer.from(`POST /api/orders ${number % 20}`)),
    varintField(6, 2),
    fixed64Field(7, BigInt(startUs) * 1_000n),
    fixed64Field(8, BigInt(startUs + ((number * 7_919) % 90_000)) * 1_000n),
    ...attributes(number).map(([key, value]) => bytesField(9, keyValue(key, value))),
    bytesField(15, varintField(3, number % 50 === 0 ? 2 : 0)),
  ]);
}

/** Bytes that look random, as ids do, and are the same for the same number. */
function mixed(number: number, bytes: number): Buffer {
  const made = Buffer.alloc(bytes);
  let state = Math.imul(number + 1, 0x9e3779b1) >>> 0;
  for (let at = 0; at < bytes; at += 4) {
    state = Math.imul(state ^ (state >>> 15), 0x85ebca6b) >>> 0;
    state = (Math.imul(state ^ (state >>> 13), 0xc2b2ae35) + number) >>> 0;
    made.writeUInt32LE(state, at);
  }
  return made;
}

function keyValue(key: string, value: string | number): Buffer {
  const any = typeof value === 'string' ? bytesField(1, Buffer.from(value)) : varintField(3, value);
  return Buffer.concat([bytesField(1, Buffer.from(key)), bytesField(2, any)]);
}

import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { readConfig } from '../src/config.ts';

const jwk = {
  ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }),
  kid: 'orders',
};
const needed = {
  RUSHLIGHT_SERVICE: 'orders',
  RUSHLIGHT_SERVICE_KEY: JSON.stringify(jwk),
  RUSHLIGHT_SERVICE_KEYS: '{"keys":[]}',
  RUSHLIGHT_SERVICE_URLS: '{}',
  RUSHLIGHT_DATA: '/srv',
};
const read = (more: Record<string, string>) =>
  readConfig(z.object({}), { ...needed, ...more }).config;

test('without an address telemetry is sent nowhere', () => {
  expect(read({}).otlp).toBeUndefined();
  expect(read({ OTEL_EXPORTER_OTLP_HEADERS: 'a=b' }).otlp).toBeUndefined();
});

test('the variables of OpenTelemetry say where telemetry is sent, and with which headers', () => {
  const { otlp } = read({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example/otlp',
    OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Basic%20YTpi, x-scope = 1=2 ,',
  });
  expect(otlp?.endpoint.href).toBe('https://collector.example/otlp');
  expect(otlp?.headers).toEqual({ authorization: 'Basic YTpi', 'x-scope': '1=2' });
});

test('a mistake in them is told by name, and no secret with it', () => {
  const wrong = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization tulip-42',
  };
  expect(() => read(wrong)).toThrow(/OTEL_EXPORTER_OTLP_ENDPOINT[\s\S]*OTEL_EXPORTER_OTLP_HEADERS/);
  expect(() => read(wrong)).not.toThrow(/tulip-42/);
});

test('the replicas of a service are a list, also when there is one', () => {
  const urls = { orders: 'http://orders:8080', inventory: ['http://a:1', 'http://b:2'] };
  const { serviceUrls } = read({ RUSHLIGHT_SERVICE_URLS: JSON.stringify(urls) });
  expect(serviceUrls.orders).toEqual(['http://orders:8080']);
  expect(serviceUrls.inventory).toEqual(['http://a:1', 'http://b:2']);
  expect(() => read({ RUSHLIGHT_SERVICE_URLS: '{"orders": []}' })).toThrow(
    /RUSHLIGHT_SERVICE_URLS/,
  );
});

test('what stands in a file is read from there; both, or a file that is not there, is told', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'bus-url');
  writeFileSync(path, 'amqp://tulip:42@broker/shop\n');
  expect(read({ RUSHLIGHT_BUS_URL_FILE: path }).busUrl).toBe('amqp://tulip:42@broker/shop');
  const twice = { RUSHLIGHT_BUS_URL_FILE: path, RUSHLIGHT_BUS_URL: 'postgres://x/y' };
  expect(() => read(twice)).toThrow(/RUSHLIGHT_BUS_URL and RUSHLIGHT_BUS_URL_FILE are both set/);
  expect(() => read({ RUSHLIGHT_BUS_URL_FILE: `${path}.gone` })).toThrow(
    /RUSHLIGHT_BUS_URL_FILE: ENOENT/,
  );
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readLaunchConfig } from '../src/config.ts';
import { smallScale } from '../src/scale.ts';
import { temporaryFolder } from './support.ts';

function read(line: string[], environment: Record<string, string> = {}, dotEnv?: string) {
  using folder = temporaryFolder();
  if (dotEnv !== undefined) writeFileSync(join(folder.path, '.env'), dotEnv);
  return readLaunchConfig(line, environment, folder.path);
}

test('without any wish, the defaults hold', () => {
  expect(read([])).toEqual({
    kind: 'config',
    config: {
      port: 3000,
      host: '127.0.0.1',
      data: '.rushlight',
      fresh: false,
      lab: true,
      scale: smallScale,
      otlp: undefined,
      settings: {},
    },
  });
});

test('the command line goes before the environment, the environment before .env', () => {
  const reading = read(
    ['--port', '3001', '--no-lab'],
    { RUSHLIGHT_PORT: '3002', RUSHLIGHT_HOST: '0.0.0.0', RUSHLIGHT_LAB: 'true' },
    'RUSHLIGHT_PORT=3003\nRUSHLIGHT_HOST=::1\nRUSHLIGHT_DATA=/srv/shop\nRUSHLIGHT_FRESH=true\n',
  );
  expect(reading).toMatchObject({
    config: { port: 3001, host: '0.0.0.0', data: '/srv/shop', fresh: true, lab: false },
  });
});

test('every mistake is told at once, by name', () => {
  const reading = read(
    ['--port', '70000', '--colour', 'red'],
    { RUSHLIGHT_LAB: 'maybe', RUSHLIGHT_PROT: '3001', RUSHLIGHT_LOG_LEVEL: 'loud' },
    'RUSHLIGHT_HOST="a b"\n',
  );
  expect(reading.kind).toBe('mistakes');
  const mistakes = reading.kind === 'mistakes' ? reading.mistakes : [];
  expect(mistakes).toEqual([
    '--colour: no such option; see --help',
    '--port: must be a whole number from 1 to 65535, not "70000"',
    'RUSHLIGHT_HOST: must be a host name or an address, not "a b"',
    'RUSHLIGHT_LAB: must be true or false, not "maybe"',
    'RUSHLIGHT_PROT: no such variable; did you mean RUSHLIGHT_PORT?',
    expect.stringMatching(/^RUSHLIGHT_LOG_LEVEL: .*, not "loud"$/),
  ]);
});

test.each(['', 'abc', '-1', '0', '1.5', '65536', '3000 '])('%j is no port', (port) => {
  expect(read([`--port=${port}`]).kind).toBe('mistakes');
});

test('an option without its value is a mistake', () => {
  expect(read(['--port'])).toMatchObject({
    kind: 'mistakes',
    mistakes: [expect.stringContaining('--port')],
  });
});

test('the lab is turned off by either name, not by both', () => {
  expect(read([], { RUSHLIGHT_NO_LAB: 'true' })).toMatchObject({ config: { lab: false } });
  expect(read([], { RUSHLIGHT_LAB: 'false' })).toMatchObject({ config: { lab: false } });
  expect(read([], { RUSHLIGHT_NO_LAB: '1', RUSHLIGHT_LAB: '0' }).kind).toBe('mistakes');
});

test('settings of services pass through, empty variables do not count', () => {
  const reading = read([], { RUSHLIGHT_KITCHEN_STATIONS: '8', RUSHLIGHT_PORT: '' });
  expect(reading).toMatchObject({
    config: { port: 3000, settings: { RUSHLIGHT_KITCHEN_STATIONS: '8' } },
  });
});

test('where telemetry goes is said by the variables of OpenTelemetry', () => {
  const endpoint = 'https://collector.example';
  const headers = 'authorization=Basic%20YTpi,x-scope=shop';
  const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers };
  expect(read([], variables)).toMatchObject({ config: { otlp: { endpoint, headers } } });
  const dotEnv = `OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}\n`;
  expect(read([], {}, dotEnv)).toMatchObject({ config: { otlp: { endpoint } } });
  expect(read([], { OTEL_EXPORTER_OTLP_HEADERS: headers })).toMatchObject({
    config: { otlp: undefined },
  });
  const mistaken = read([], {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
    OTEL_EXPORTER_OTLP_HEADERS: 'tulip-42',
    RUSHLIGHT_MONITOR_OTLP_PORT: 'many',
  });
  expect(mistaken).toEqual({
    kind: 'mistakes',
    mistakes: [
      'RUSHLIGHT_MONITOR_OTLP_PORT: must be a whole number from 0 to 65535, not "many"',
      'OTEL_EXPORTER_OTLP_ENDPOINT: must be an http or https URL, not "collector:4318"',
      'OTEL_EXPORTER_OTLP_HEADERS: must be key=value, with commas between',
    ],
  });
});

test('--help names every option and variable, --version the version', () => {
  const help = read(['--help']);
  const text = help.kind === 'text' ? help.text : '';
  for (const name of ['--port', '--host', '--data', '--fresh', '--no-lab', 'RUSHLIGHT_NO_LAB']) {
    expect(text).toContain(name);
  }
  expect(read(['--version'])).toMatchObject({ text: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

import { expect, test } from 'vitest';
import { parseFault } from '../src/rush/fault-plan.ts';
import { type OptionsReading, readOptions } from '../src/rush/options.ts';

const read = (line: string, environment = {}): OptionsReading =>
  readOptions(
    line.split(' ').filter((word) => word !== ''),
    environment,
  );

const small = { replicas: {}, postgres: 'embedded', bus: 'postgres', cache: 'memory' };

test('without options it is a thousand meals for five thousand in a minute', () => {
  expect(read('')).toEqual({
    kind: 'options',
    options: {
      ...{ meals: 1_000, arrivals: 5_000, seconds: 60, items: 3, seed: 1, faults: [] },
      scale: small,
      admin: { studentId: 'admin', password: 'adminpassword' },
    },
    jsonFile: undefined,
  });
});

test('every option is read', () => {
  const line =
    '--meals 10 --arrivals 20 --seconds 30 --items 2 --seed 7 --json c.json ' +
    '--url http://127.0.0.1:3000 --fault kill:orders@15 --fault stop:payments@20:5';
  const environment = { RUSHLIGHT_RUSH_ADMIN: 'boss', RUSHLIGHT_RUSH_ADMIN_PASSWORD: 'secret' };
  expect(read(line, environment)).toEqual({
    kind: 'options',
    options: {
      ...{ meals: 10, arrivals: 20, seconds: 30, items: 2, seed: 7 },
      url: 'http://127.0.0.1:3000',
      faults: [
        { fault: 'kill', target: 'orders', atS: 15, durationS: 0 },
        { fault: 'stop', target: 'payments', atS: 20, durationS: 5 },
      ],
      scale: small,
      admin: { studentId: 'boss', password: 'secret' },
    },
    jsonFile: 'c.json',
  });
});

test('all mistakes are told at once', () => {
  const line =
    '--meals 0 --arrivals many --fault kill:nobody@1 --fault burn:orders@1 --url ftp://x';
  const reading = read(line);
  expect(reading.kind).toBe('mistakes');
  const mistakes = reading.kind === 'mistakes' ? reading.mistakes : [];
  expect(mistakes).toHaveLength(5);
  expect(mistakes.join('\n')).toContain('--meals 0: must be a whole number from 1 to 1000000');
});

test('how far the shop is spread is read as npm start reads it, and is of our own shop only', () => {
  const line = '--replicas gateway=2,orders=3 --bus rabbitmq --fault kill:orders-2@3';
  expect(read(line, { RUSHLIGHT_CACHE_URL: 'redis://127.0.0.1:6379' })).toMatchObject({
    options: {
      scale: {
        ...{ replicas: { gateway: 2, orders: 3 }, bus: 'rabbitmq' },
        ...{ cache: { url: 'redis://127.0.0.1:6379' }, postgres: 'embedded' },
      },
      faults: [{ fault: 'kill', target: 'orders-2', atS: 3 }],
    },
  });
  const reading = read('--url http://127.0.0.1:3000 --replicas orders=2');
  expect(reading).toMatchObject({ mistakes: [expect.stringMatching(/^--replicas: only without/)] });
});

test.each(['--nonsense', '--meals', 'word'])('%s is a mistake', (line) => {
  expect(read(line).kind).toBe('mistakes');
});

test('help is a text that shows how a fault is written', () => {
  const reading = read('--help');
  expect(reading.kind === 'text' && reading.text).toContain('FAULT:TARGET@SECOND[:SECONDS]');
});

test('a fault may come at a part of a second, and lasts as long as it says', () => {
  expect(parseFault('stop:postgres@1.5:0.5', 60)).toEqual({
    ...{ fault: 'stop', target: 'postgres', atS: 1.5, durationS: 0.5 },
  });
  expect(parseFault('stop:gateway@2', 60)).toMatchObject({ durationS: 5 });
  expect(parseFault('kill:everything@2', 60)).toMatchObject({ target: 'everything' });
});

test.each([
  ['kill', 'FAULT:TARGET@SECOND[:SECONDS]'],
  ['kill:orders', 'FAULT:TARGET@SECOND[:SECONDS]'],
  ['kill:orders@', 'FAULT:TARGET@SECOND[:SECONDS]'],
  ['kill:orders@-1', 'FAULT:TARGET@SECOND[:SECONDS]'],
  ['burn:orders@1', 'no fault burn; there are kill (of identity'],
  ['kill:launcher@1', 'no target launcher; there are kill (of identity'],
  ['stop:everything@1', 'no target everything'],
  ['kill:orders@61', 'after the end of the rush'],
  ['stop:orders@1:301', 'it may last 300 s at most'],
  ['kill:everything@1:5', 'leave out the duration'],
])('%s: %s', (text, words) => {
  expect(parseFault(text, 60)).toContain(words);
});

test('everything can be killed only where it is ours', () => {
  const reading = read('--fault kill:everything@1 --url http://127.0.0.1:3000');
  expect(reading.kind).toBe('mistakes');
});

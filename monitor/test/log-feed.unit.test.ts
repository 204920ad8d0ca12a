import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { LogFeed } from '../src/api/log-feed.ts';
import type { LogLevel, LogRecord } from '../src/model.ts';

const never = { after: () => () => undefined, nowMs: () => 0 };
const endless = Number.MAX_SAFE_INTEGER;

/** A response whose reader takes nothing, or everything. */
function response() {
  const written: string[] = [];
  const events = new EventEmitter();
  const raw = Object.assign(events, {
    writableLength: 0,
    writeHead: () => undefined,
    write: (text: string) => void written.push(text),
    end: () => void written.push('(end)'),
  });
  return { raw: raw as unknown as ServerResponse & { writableLength: number }, written, events };
}

const line = (message: string, level: LogLevel = 'info', service = 'orders'): LogRecord => ({
  ...{ atUs: 0, service, instance: 'x', level, message, line: message, attributes: {} },
});

test('each watcher gets the lines that it asked for', () => {
  const feed = new LogFeed(never);
  const [all, grave, one] = [response(), response(), response()];
  feed.open(all.raw, {}, endless);
  feed.open(grave.raw, { level: 'warn' }, endless);
  feed.open(one.raw, { service: 'kitchen', text: 'OVEN' }, endless);
  feed.publish([
    line('an order'),
    line('trouble', 'error'),
    line('the oven', 'info', 'kitchen'),
    line('the pan', 'info', 'kitchen'),
  ]);
  const counts = [all, grave, one].map(({ written }) => written.length - 1);
  expect(counts).toEqual([4, 1, 1]);
  expect(one.written[1]).toMatch(/^event: log\ndata: {.*"message":"the oven".*}\n\n$/);
});

test('who reads too slowly misses lines and is told how many', () => {
  const feed = new LogFeed(never);
  const slow = response();
  feed.open(slow.raw, {}, endless);
  Object.assign(slow.raw, { writableLength: 1_000_000 });
  feed.publish([line('one'), line('two'), line('three')]);
  Object.assign(slow.raw, { writableLength: 0 });
  feed.publish([line('four')]);
  expect(slow.written.slice(1)).toEqual([
    'event: missed\ndata: {"lines":3}\n\n',
    expect.stringContaining('four'),
  ]);
});

test('watchers have a limit, and who goes makes room', () => {
  const feed = new LogFeed(never);
  const open = Array.from({ length: 50 }, response);
  for (const { raw } of open) feed.open(raw, {}, endless);
  expect(() => feed.open(response().raw, {}, endless)).toThrow('Too much is waiting');
  open[0]?.events.emit('close');
  feed.open(response().raw, {}, endless);
  feed.close();
  expect(open[1]?.written.at(-1)).toBe('(end)');
  expect(() => feed.open(response().raw, {}, endless)).toThrow('Too much is waiting');
});

test('who has gone takes no place: before the feed began, or by an error', () => {
  const feed = new LogFeed(never);
  for (let round = 0; round < 60; round += 1) {
    const gone = response();
    feed.open(Object.assign(gone.raw, { destroyed: true }), {}, endless);
    expect(gone.written).toEqual([]);
    const failing = response();
    feed.open(failing.raw, {}, endless);
    failing.events.emit('error', new Error('reset'));
    failing.events.emit('close');
  }
});

test('a watch ends soon after its token', () => {
  let beat = (): void => undefined;
  const clock = {
    nowMs: () => 1_000,
    after: (_: number, work: () => void) => {
      beat = work;
      return () => undefined;
    },
  };
  const feed = new LogFeed(clock);
  const [over, valid] = [response(), response()];
  feed.open(over.raw, {}, 1_000);
  feed.open(valid.raw, {}, 1_001);
  beat();
  expect(over.written.at(-1)).toBe('(end)');
  expect(valid.written.at(-1)).toBe(': still here\n\n');
});

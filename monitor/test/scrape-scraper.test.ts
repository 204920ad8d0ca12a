import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLog } from '@rushlight/chassis';
import { type SimulatedEnvironment, simulatedEnvironment, until } from '@rushlight/chassis/testing';
import { expect, test } from 'vitest';
import type { Sample } from '../src/model.ts';
import { Scraper, type ScraperOptions, type ScrapeTarget } from '../src/scrape/scraper.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A program whose metrics are what the test says. */
async function startTarget(answer: Answer) {
  let current = answer;
  const server = createServer((request, response) => current(request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/metrics`,
    host: `127.0.0.1:${port}`,
    answers: (next: Answer) => {
      current = next;
    },
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise<void>((done) => server.close(() => done()));
    },
  };
}

const text =
  (body: string, type = 'text/plain; version=0.0.4'): Answer =>
  (_, response) =>
    void response.writeHead(200, { 'content-type': type }).end(body);

type Watching = AsyncDisposable & {
  env: SimulatedEnvironment;
  scraper: Scraper;
  samples: Sample[];
  /** Lets one interval pass and waits for what it brought. */
  next(): Promise<Sample[]>;
};

function watch(
  target: Partial<ScrapeTarget> & { url: string },
  options: Partial<ScraperOptions> = {},
  given: Partial<SimulatedEnvironment> = {},
): Watching {
  const env = { ...simulatedEnvironment(7), ...given };
  const samples: Sample[] = [];
  const scraper = new Scraper({
    intake: { samples: (records) => void samples.push(...records) },
    env,
    log: silentLog,
    allowPrivateAddresses: false,
    ...options,
  });
  scraper.add({ name: 'shop', intervalS: 5, ...target });
  return {
    env,
    scraper,
    samples,
    next: async () => {
      samples.length = 0;
      await env.advance(5_000);
      await until(() => samples.length > 0, { what: 'a scrape', deadlineMs: 20_000 });
      return [...samples];
    },
    [Symbol.asyncDispose]: () => scraper[Symbol.asyncDispose](),
  };
}

const shown = (samples: readonly Sample[]): string[] =>
  samples
    .filter(({ name }) => name !== 'scrape_duration_seconds')
    .map(({ name, labels, value, stale }) => {
      const { job, instance, ...own } = labels;
      return `${name}${JSON.stringify(own)} ${stale ? 'stale' : value}`;
    });

test('a target is asked at its interval, and its samples carry its job and instance', async () => {
  await using target = await startTarget(text('a{x="1"} 5\nb 2\n'));
  await using watching = watch({ url: target.url });
  const first = await watching.next();
  expect(shown(first)).toEqual([
    ...['a{"x":"1"} 5', 'b{} 2', 'up{} 1'],
    ...['scrape_samples_scraped{} 2', 'scrape_samples_refused{} 0'],
  ]);
  expect(first[0]).toEqual({
    name: 'a',
    labels: { x: '1', job: 'shop', instance: target.host },
    atMs: first[0]?.atMs,
    value: 5,
  });
  const second = await watching.next();
  expect((second[0]?.atMs ?? 0) - (first[0]?.atMs ?? 0)).toBe(5_000);
  expect(watching.scraper.targets()).toMatchObject([{ status: 'up', samples: 2 }]);
});

test('a series that vanishes is ended; when the target is down, all are', async () => {
  await using target = await startTarget(text('a 1\nb 2\n'));
  await using watching = watch({ url: target.url });
  await watching.next();
  target.answers(text('b 3\n'));
  expect(shown(await watching.next())).toEqual([
    ...['b{} 3', 'a{} stale', 'up{} 1'],
    ...['scrape_samples_scraped{} 1', 'scrape_samples_refused{} 0'],
  ]);
  target.answers((_, response) => void response.writeHead(500).end());
  expect(shown(await watching.next())).toEqual([
    ...['b{} stale', 'up{} 0'],
    ...['scrape_samples_scraped{} 0', 'scrape_samples_refused{} 0'],
  ]);
  expect(watching.scraper.targets()).toMatchObject([{ status: 'down', why: expect.any(String) }]);
  expect(shown(await watching.next())[0]).toBe('up{} 0');
});

/** Lets the time pass second by second until this holds. */
const passing = ({ env }: Watching, what: string, holds: () => boolean): Promise<void> =>
  until(
    async () => {
      await env.advance(1_000);
      return holds();
    },
    { what, deadlineMs: 20_000 },
  );

test('a target that starts together with us is not down before its time', async () => {
  let asked = 0;
  const failing: Answer = (_, response) => {
    asked += 1;
    response.writeHead(503).end();
  };
  await using target = await startTarget(failing);
  await using watching = watch({ url: target.url, startsWithinS: 3_600 });
  const { samples, scraper } = watching;
  await passing(watching, 'three questions', () => asked >= 3);
  expect(samples).toEqual([]);
  expect(scraper.targets()).toMatchObject([{ status: 'waiting' }]);
  target.answers(text('a 1\n'));
  await passing(watching, 'an answer', () => samples.length > 0);
  expect(shown(samples)).toContain('up{} 1');
  target.answers(failing);
  await passing(watching, 'its end', () => shown(samples).includes('up{} 0'));
});

test('a target that does not start in its time is down', async () => {
  await using target = await startTarget((_, response) => void response.writeHead(503).end());
  await using watching = watch({ url: target.url, startsWithinS: 15 });
  await passing(watching, 'a scrape that counts', () => watching.samples.length > 0);
  expect(shown(watching.samples)).toContain('up{} 0');
});

test('a target that is taken off the list leaves nothing behind', async () => {
  await using target = await startTarget(text('a 1\n'));
  await using watching = watch({ url: target.url });
  await watching.next();
  watching.samples.length = 0;
  expect(watching.scraper.remove('shop')).toBe(true);
  expect(shown(watching.samples)).toEqual([
    ...['a{} stale', 'up{} stale'],
    ...['scrape_samples_scraped{} stale', 'scrape_samples_refused{} stale'],
  ]);
  expect([watching.scraper.remove('shop'), watching.env.timers()]).toEqual([false, 0]);
});

test('labels of the target win, unless the sample is to be believed', async () => {
  const body = 'a{instance="me-1",service="me",job="mine"} 1\n';
  await using target = await startTarget(text(body));
  const labels = { service: 'shop', zone: 'east' };
  await using strict = watch({ url: target.url, labels });
  expect((await strict.next())[0]?.labels).toEqual({
    ...{ job: 'shop', exported_job: 'mine', instance: target.host, exported_instance: 'me-1' },
    ...{ service: 'shop', exported_service: 'me', zone: 'east' },
  });
  await using honest = watch({ url: target.url, labels, honorLabels: true });
  expect((await honest.next())[0]?.labels).toEqual({
    ...{ job: 'mine', instance: 'me-1', service: 'me', zone: 'east' },
  });
});

test('OpenMetrics is preferred, and brings exemplars', async () => {
  const accepted: string[] = [];
  const body = 'a_bucket{le="1"} 1 # {trace_id="abc"} 0.5 1767225600\n# EOF\n';
  await using target = await startTarget((request, response) => {
    accepted.push(request.headers.accept ?? '');
    text(body, 'application/openmetrics-text; version=1.0.0')(request, response);
  });
  await using watching = watch({ url: target.url });
  const [first] = await watching.next();
  expect(accepted[0]).toMatch(/^application\/openmetrics-text/);
  expect(first?.exemplar).toEqual({ traceId: 'abc', value: 0.5, atMs: 1_767_225_600_000 });
});

test('samples above the limit of series are left out and counted', async () => {
  const body = Array.from({ length: 30 }, (_, k) => `a{k="${k}"} ${k}`).join('\n');
  await using target = await startTarget(text(body));
  await using watching = watch({ url: target.url }, { limits: { seriesMax: 10 } });
  const samples = await watching.next();
  expect(samples.filter(({ name }) => name === 'a')).toHaveLength(10);
  expect(shown(samples)).toContain('scrape_samples_refused{} 20');
  expect(watching.scraper.targets()).toMatchObject([{ samples: 10, samplesRefused: 20 }]);
});

test.each([
  ['an answer that is too large', text('# '.padEnd(5_000, 'x')), 'more than 1000 bytes'],
  ['half an answer', text('a 1', 'application/openmetrics-text'), '# EOF'],
  ['what is no exposition', text('<html></html>', 'text/html'), 'Line 1'],
  [
    'a redirect',
    ((_, response) => void response.writeHead(302, { location: '/other' }).end()) as Answer,
    '302',
  ],
  ['a cut connection', ((_, response) => void response.destroy()) as Answer, ''],
])('%s is a target that is down', async (_, answer, why) => {
  await using target = await startTarget(answer);
  await using watching = watch({ url: target.url }, { limits: { bodyBytesMax: 1_000 } });
  expect(shown(await watching.next())[0]).toBe('up{} 0');
  expect(watching.scraper.targets()[0]).toMatchObject({ status: 'down' });
  expect(watching.scraper.targets()[0]?.why).toContain(why);
});

test('a target that never answers is given up at the limit, and asked again', async () => {
  let asked = 0;
  await using target = await startTarget(() => {
    asked += 1;
  });
  const limits = { durationMsMax: 2_000 };
  await using watching = watch({ url: target.url }, { limits }, { random: () => 0 });
  await watching.env.advance(0);
  await until(() => asked === 1, { what: 'the first question', deadlineMs: 20_000 });
  expect(shown(await watching.next())[0]).toBe('up{} 0');
  expect(watching.scraper.targets()[0]?.why).toContain('2000 ms');
  await watching.env.advance(5_000);
  await until(() => asked === 2, { what: 'the second question', deadlineMs: 20_000 });
});

test('a name that stands for a private address is refused when it is connected to', async () => {
  await using watching = watch({ url: 'http://localhost:1/metrics' });
  expect(shown(await watching.next())[0]).toBe('up{} 0'); // Loopback, and nobody listens.
  expect(() =>
    watching.scraper.add({ name: 'x', url: 'http://192.168.0.1/', intervalS: 5 }),
  ).toThrow('private');
});

test('there are no more targets than the limit, and no odd intervals', async () => {
  await using target = await startTarget(text('a 1\n'));
  await using watching = watch({ url: target.url }, { limits: { targetsMax: 1 } });
  const add = (given: Partial<ScrapeTarget>) => () =>
    watching.scraper.add({ name: 'other', url: target.url, intervalS: 5, ...given });
  expect(add({})).toThrow('no more may be');
  expect(add({ name: 'shop', intervalS: 0.1 })).toThrow('not from 1');
  expect(add({ name: 'shop' })).not.toThrow();
});

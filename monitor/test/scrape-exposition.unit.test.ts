import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkTargetUrl, isPrivateAddress } from '../src/scrape/addresses.ts';
import { ExpositionError, parseExposition } from '../src/scrape/exposition.ts';

test('Prometheus text: names, labels with escapes, values, instants', () => {
  const text = `# HELP http_requests_total Requests. With "quotes" {and} braces
# TYPE http_requests_total counter
http_requests_total{method="POST",route="/a b",} 1027 1395066363000
http_requests_total{ method = "GET" , path="C:\\\\DIR\\n\\"x\\" } , {" }	3
up 1
nan NaN
inf{le="+Inf"} +Inf
low -Inf
tiny 1.5e-9
{"quoted.name",k="v"} 2
:colon:name{} .5
`;
  expect(parseExposition(text, 'prometheus')).toEqual([
    {
      name: 'http_requests_total',
      labels: { method: 'POST', route: '/a b' },
      value: 1_027,
      atMs: 1_395_066_363_000,
    },
    {
      name: 'http_requests_total',
      labels: { method: 'GET', path: 'C:\\DIR\n"x" } , {' },
      value: 3,
    },
    { name: 'up', labels: {}, value: 1 },
    { name: 'nan', labels: {}, value: Number.NaN },
    { name: 'inf', labels: { le: '+Inf' }, value: Number.POSITIVE_INFINITY },
    { name: 'low', labels: {}, value: Number.NEGATIVE_INFINITY },
    { name: 'tiny', labels: {}, value: 1.5e-9 },
    { name: 'quoted.name', labels: { k: 'v' }, value: 2 },
    { name: ':colon:name', labels: {}, value: 0.5 },
  ]);
});

test('OpenMetrics: exemplars, seconds, and an end', () => {
  const text = `# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.1"} 8 # {trace_id="abc",x="y z"} 0.054 1520879607.789
latency_seconds_bucket{le="+Inf"} 9 1520879607.5 # {trace_id="def"} 7
latency_seconds_count 9 # {} 1
# EOF
`;
  expect(parseExposition(text, 'openmetrics')).toEqual([
    {
      name: 'latency_seconds_bucket',
      labels: { le: '0.1' },
      value: 8,
      exemplar: { labels: { trace_id: 'abc', x: 'y z' }, value: 0.054, atMs: 1_520_879_607_789 },
    },
    {
      name: 'latency_seconds_bucket',
      labels: { le: '+Inf' },
      value: 9,
      atMs: 1_520_879_607_500,
      exemplar: { labels: { trace_id: 'def' }, value: 7 },
    },
    { name: 'latency_seconds_count', labels: {}, value: 9, exemplar: { labels: {}, value: 1 } },
  ]);
});

test.each([
  ['0x1p4', 16],
  ['0X1P+4', 16],
  ['-0x1.8p-1', -0.75],
  ['+0x.8p1', 1],
  ['0x10', 16],
  ['-0x10', -16],
  ['0x1p-1074', 5e-324],
])('%s is %d, as Go reads it', (text, value) => {
  expect(parseExposition(`a ${text}\n`, 'prometheus')).toEqual([{ name: 'a', labels: {}, value }]);
});

test.each(['0x', '0x.p1', '0x1.8', '0xg', '0x1p', '0x1p1.5'])('%s is no value', (text) => {
  expect(() => parseExposition(`a ${text}\n`, 'prometheus')).toThrow('is no value');
});

test('of a series that comes twice the first one counts', () => {
  const text = 'a{x="1",y="2"} 1\na{y="2",x="1"} 2\n';
  expect(parseExposition(text, 'prometheus').map(({ value }) => value)).toEqual([1]);
});

test.each([
  ['a', 'prometheus', 'Line 1: "" is no value'],
  ['a b', 'prometheus', '"b" is no value'],
  ['a 1 2 3', 'prometheus', 'more than a value'],
  ['a{b="c" 1', 'prometheus', 'parted by commas'],
  ['a{b="c} 1', 'prometheus', 'a quote is not closed'],
  ['a{b=c} 1', 'prometheus', 'must stand in quotes'],
  ['a{b} 1', 'prometheus', 'has no value'],
  ['{b="c"} 1', 'prometheus', 'must begin with the name'],
  ['9a 1', 'prometheus', 'must begin with the name'],
  ['<html>', 'prometheus', 'must begin with the name'],
  ['a 1 # {x="y"} 1', 'prometheus', 'more than a value'],
  ['a 1 yesterday', 'prometheus', 'is no instant'],
  ['ok 1\na 0x', 'prometheus', 'Line 2: "0x" is no value'],
  ['a 1', 'openmetrics', 'without "# EOF"'],
  ['# EOF\na 1', 'openmetrics', 'stands after "# EOF"'],
  ['a 1 # 5\n# EOF', 'openmetrics', 'begin with its labels'],
] as const)('%s (%s) is refused: %s', (text, format, reason) => {
  expect(() => parseExposition(text, format)).toThrow(ExpositionError);
  expect(() => parseExposition(text, format)).toThrow(reason);
});

test('whatever stands there, it is read or refused', () => {
  const part = fc.constantFrom(
    'a',
    '{',
    '}',
    '"',
    '=',
    ',',
    ' ',
    '1',
    '#',
    '\\',
    '\n',
    'NaN',
    '# EOF',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(part).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, fc.constantFrom('prometheus', 'openmetrics'), (given, format) => {
      try {
        parseExposition(given, format);
      } catch (error) {
        expect(error).toBeInstanceOf(ExpositionError);
      }
    }),
  );
});

test('what was written is what is read', () => {
  const name = fc.stringMatching(/^[a-z_:][a-z0-9_:]{0,8}$/);
  const label = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/);
  const labels = fc.dictionary(label, fc.string(), { maxKeys: 4 });
  const escaped = (text: string): string =>
    text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  fc.assert(
    fc.property(name, labels, fc.double(), (given, set, value) => {
      const pairs = Object.entries(set).map(([key, text]) => `${key}="${escaped(text)}"`);
      const [read] = parseExposition(`${given}{${pairs.join(',')}} ${value}\n`, 'prometheus');
      expect(read).toEqual({
        name: given,
        labels: { ...set },
        value: value === 0 ? read?.value : value,
      });
    }),
  );
});

test.each([
  ['127.0.0.1', false],
  ['::1', false],
  ['8.8.8.8', false],
  ['2a00:1450::1', false],
  ['10.1.2.3', true],
  ['172.16.0.1', true],
  ['172.32.0.1', false],
  ['192.168.1.1', true],
  ['169.254.169.254', true],
  ['100.64.0.1', true],
  ['0.0.0.0', true],
  ['fd00::1', true],
  ['fe80::1', true],
  ['::ffff:10.0.0.1', true],
  ['::ffff:127.0.0.1', false],
  ['255.255.255.255', true],
  ['64:ff9b::7f00:1', true],
  ['64:ff9b::808:808', true],
  ['64:ff9b:1::a00:1', true],
  ['nonsense', true],
])('%s is private: %s', (address, expected) => {
  expect(isPrivateAddress(address)).toBe(expected);
});

test.each([
  ['ftp://example.org/', 'no http'],
  ['metrics', 'no http'],
  ['file:///etc/passwd', 'no http'],
  ['http://me:secret@example.org/', 'user or password'],
  ['http://10.0.0.1/metrics', 'private'],
  ['http://[fd00::1]/metrics', 'private'],
  ['http://169.254.169.254/latest/meta-data', 'private'],
  ['http://0xa000001/', 'private'],
])('the target %s is refused: %s', (url, reason) => {
  expect(() => checkTargetUrl(url, false)).toThrow(reason);
});

test('a private address is fine where the operator says so', () => {
  expect(checkTargetUrl('http://10.0.0.1/metrics', true).host).toBe('10.0.0.1');
  expect(checkTargetUrl('http://127.0.0.1:4100/metrics', false).host).toBe('127.0.0.1:4100');
});

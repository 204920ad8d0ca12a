import { expect, test } from 'vitest';
import { writeMessage } from '../src/alerting/message-text.ts';
import { addSilence, silencedBy } from '../src/alerting/silences.ts';
import { renderTemplate } from '../src/alerting/template.ts';

// Expected sentences are what Prometheus 2.42 renders.
test.each([
  ['{{ $value }}', 0.1, '0.1'],
  ['{{ $value }}', 1_000_000, '1e+06'],
  ['{{ $value }}', 6, '6'],
  ['{{ $value }}', Number.NaN, 'NaN'],
  ['{{ $value | humanize }}', 1_234_567, '1.235M'],
  ['{{ $value | humanize }}', 0.00123, '1.23m'],
  ['{{ $value | humanize1024 }}B', 1_200_000_000, '1.118GiB'],
  ['{{ $value | humanizePercentage }}', 0.12345, '12.35%'],
  ['{{ $value | humanizePercentage }}', 1e-7, '1e-05%'],
  ['{{ $value | humanizeDuration }}', 2.35, '2.35s'],
  ['{{ $value | humanizeDuration }}', 0.6, '600ms'],
  ['{{ $value | humanizeDuration }}', 3_725, '1h 2m 5s'],
  ['{{ $value | humanizeDuration }}', 90_061, '1d 1h 1m 1s'],
  ['{{ $labels.service }} of {{ $labels.missing }}.', 1, 'orders of .'],
])('%s of %d is "%s"', (template, value, sentence) => {
  expect(renderTemplate(template, { service: 'orders' }, value)).toBe(sentence);
});

test.each(['{{ $externalLabels.a }}', '{{ $value | toTime }}', '{{ printf "%d" 1 }}'])(
  '%s is refused',
  (template) => {
    expect(() => renderTemplate(template, {}, 1)).toThrow('{{');
  },
);

test('a message says what fires, what ended, and where to look; no label breaks its lines', () => {
  const told = (summary: string) => ({
    labels: { severity: 'page', owner: 'platform' },
    annotations: { summary, description: 'It is dead.', runbook: 'docs/runbooks/ServiceDown.md' },
    firedAtMs: 1_767_225_600_000,
  });
  const message = {
    group: 'ServiceDown',
    firing: [told('a\r\nX: y'), told('b')],
    resolved: [told('c')],
  };
  expect(writeMessage(message, 'http://127.0.0.1:3000/alerts')).toEqual({
    subject: '[page] ServiceDown: a X: y and 1 more',
    lines: [
      'FIRING: a X: y, since 2026-01-01T00:00:00.000Z',
      'FIRING: b, since 2026-01-01T00:00:00.000Z',
      'resolved: c, since 2026-01-01T00:00:00.000Z',
      'It is dead.',
      'Runbook: docs/runbooks/ServiceDown.md (owner: platform)',
      'All alerts: http://127.0.0.1:3000/alerts',
    ],
  });
});

const wanted = { untilMs: 2_000, createdBy: 'sara', comment: 'I am at it' };
const service = (value: string, operator: '=' | '=~' | '!=' = '=') => ({
  label: 'service',
  operator,
  value,
});

test('a silence covers what all its matchers fit, until it ends', () => {
  const made = { id: 's1', nowMs: 1_000 };
  const silences = addSilence([], { ...wanted, matchers: [service('or.*', '=~')] }, made);
  expect(silencedBy({ service: 'orders' }, silences, 1_999)?.id).toBe('s1');
  expect(silencedBy({ service: 'kitchen' }, silences, 1_999)).toBeUndefined();
  expect(silencedBy({ service: 'orders' }, silences, 2_000)).toBeUndefined();
});

test.each([
  ['has ended', { ...wanted, untilMs: 1_000, matchers: [service('orders')] }, 'before it begins'],
  ['never ends', { ...wanted, untilMs: 1e13, matchers: [service('orders')] }, '30 days'],
  ['covers all', { ...wanted, matchers: [service('orders', '!=')] }, 'every alert'],
  ['cannot be read', { ...wanted, matchers: [service('(', '=~')] }, 'cannot be read'],
])('a silence that %s is refused', (_, silence, why) => {
  expect(() => addSilence([], silence, { id: 's1', nowMs: 1_000 })).toThrow(why);
});

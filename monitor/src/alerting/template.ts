// The sentences of an alert, as Prometheus renders them: `{{ $labels.name }}`, `{{ $value }}`, and
// the value through one formatter. A template that uses more of Go's language is refused.
//
// Formatters as in Prometheus, template/template.go (v2.42).

import type { Labels } from '../model.ts';

const hole = /\{\{\s*(.*?)\s*\}\}/g;
const piece = /^\$(?:labels\.(?<label>[A-Za-z_]\w*)|(?<value>value)(?:\s*\|\s*(?<format>\w+))?)$/;

/**
 * @param value of the expression for this alert, when it last had one
 * @throws Error when the template holds anything but the above
 */
export function renderTemplate(template: string, labels: Labels, value: number): string {
  return template.replace(hole, (whole, inner: string) => {
    const { label, format } = piece.exec(inner)?.groups ?? {};
    if (label !== undefined) return labels[label] ?? '';
    if (!piece.test(inner)) throw new Error(`${whole} is no part of a template: see template.ts`);
    if (format === undefined) return plain(value);
    const formatter = formatters[format];
    if (formatter === undefined) {
      throw new Error(`${whole}: known are ${Object.keys(formatters).join(', ')}`);
    }
    return formatter(value);
  });
}

const formatters: Readonly<Record<string, (value: number) => string>> = {
  humanize: (value) => prefixed(value, 1_000, ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']),
  humanize1024: (value) =>
    Math.abs(value) <= 1
      ? significant(value)
      : prefixed(value, 1_024, ['', 'ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi']),
  humanizePercentage: (value) => `${significant(value * 100)}%`,
  humanizeDuration,
};

/** Go's `%v` of a float64: the shortest digits, with an exponent below -4 and from 6 on. */
function plain(value: number): string {
  if (!Number.isFinite(value)) return nonFinite(value);
  const shortest = value.toExponential();
  const power = Number(shortest.split('e')[1]);
  return value !== 0 && (power < -4 || power >= 6) ? goExponent(shortest) : fixed(value);
}

/** Go's `%.4g`. */
function significant(value: number): string {
  if (!Number.isFinite(value)) return nonFinite(value);
  if (value === 0) return '0';
  const [digits = '', power = '0'] = value.toExponential(3).split('e');
  const short = digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
  if (Number(power) < -4 || Number(power) >= 4) return goExponent(`${short}e${power}`);
  return fixed(Number(value.toPrecision(4)));
}

function nonFinite(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** At least two digits, as Go writes them. */
function goExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Without an exponent, which JavaScript writes below 1e-6 only. */
function fixed(value: number): string {
  return String(value);
}

function prefixed(value: number, base: number, prefixes: readonly string[]): string {
  if (value === 0 || !Number.isFinite(value)) return significant(value);
  if (Math.abs(value) < 1) return smaller(value);
  let scaled = value;
  let index = 0;
  while (Math.abs(scaled) >= base && index < prefixes.length - 1) {
    scaled /= base;
    index += 1;
  }
  return `${significant(scaled)}${prefixes[index]}`;
}

function smaller(value: number): string {
  let scaled = value;
  let prefix = '';
  for (const next of ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y']) {
    if (Math.abs(scaled) >= 1) break;
    prefix = next;
    scaled *= 1_000;
  }
  return `${significant(scaled)}${prefix}`;
}

function humanizeDuration(value: number): string {
  if (!Number.isFinite(value)) return significant(value);
  if (value === 0) return '0s';
  if (Math.abs(value) < 1) return `${smaller(value)}s`;
  const sign = value < 0 ? '-' : '';
  const whole = Math.trunc(Math.abs(value));
  const [days, hours] = [Math.trunc(whole / 86_400), Math.trunc(whole / 3_600) % 24];
  const [minutes, seconds] = [Math.trunc(whole / 60) % 60, whole % 60];
  if (days > 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`;
  if (hours > 0) return `${sign}${hours}h ${minutes}m ${seconds}s`;
  if (minutes > 0) return `${sign}${minutes}m ${seconds}s`;
  return `${significant(value)}s`;
}

// Names of OpenTelemetry as Prometheus writes them: words joined by "_", the unit and "_total" at the
// end. As in the translation that Prometheus itself does for OTLP ("underscore escaping with
// suffixes"): https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/

const units: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '%': 'percent',
};

const perUnits: Readonly<Record<string, string>> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
};

export type MetricShape = 'counter' | 'gauge' | 'other';

/** @returns '' where nothing of the name can be used */
export function metricName(name: string, unit: string, shape: MetricShape): string {
  const words = name.split(/[^a-zA-Z0-9:]+/).filter((word) => word !== '');
  if (words.length === 0) return '';
  const endings = unitWords(unit).filter((word) => !words.includes(word));
  const isRatio = unit === '1' && shape === 'gauge' && !words.includes('ratio');
  const all = [...words.filter((word) => shape !== 'counter' || word !== 'total'), ...endings];
  if (isRatio) all.push('ratio');
  if (shape === 'counter') all.push('total');
  const joined = all.join('_');
  return /^\d/.test(joined) ? `_${joined}` : joined;
}

/** "By/s" gives "bytes", "per", "second"; annotations like "{order}" say nothing. */
function unitWords(unit: string): string[] {
  const [main = '', per] = unit.replace(/\{[^}]*\}/g, '').split('/');
  const words = unitWord(units, main);
  if (per !== undefined && per !== '') words.push('per', ...unitWord(perUnits, per));
  return words;
}

function unitWord(known: Readonly<Record<string, string>>, unit: string): string[] {
  const trimmed = unit.trim();
  if (trimmed === '' || trimmed === '1') return [];
  const word = Object.hasOwn(known, trimmed) ? known[trimmed] : undefined;
  return (word ?? trimmed).split(/[^a-zA-Z0-9]+/).filter((part) => part !== '');
}

/** A label may hold letters, digits and "_", and begins with no digit. */
export function labelName(name: string): string {
  const cleaned = name.replace(/[^a-zA-Z0-9_]/g, '_');
  return /^\d/.test(cleaned) ? `key_${cleaned}` : cleaned;
}

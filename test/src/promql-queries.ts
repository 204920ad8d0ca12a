// Random expressions of the subset of PromQL that the monitor evaluates, over the samples of
// promql-samples.ts. Some of them fail on their data, as they should.

type Dice = () => number;

export class PromqlQueries {
  readonly #dice: Dice;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  next(): string {
    return this.#dice() < 0.05 ? this.#scalar(3) : this.#vector(3);
  }

  #one<T>(of: readonly [T, ...T[]]): T {
    return of[Math.floor(this.#dice() * of.length)] ?? of[0];
  }

  #chance(share: number): boolean {
    return this.#dice() < share;
  }

  #selector(): string {
    const offset = this.#chance(0.1) ? ` offset ${this.#one(['1m', '90s', '7m', '-2m'])}` : '';
    return `${this.#series()}${offset}`;
  }

  #range(): string {
    const range = this.#one(['15s', '30s', '1m', '2m', '5m', '7m30s', '20m']);
    const offset = this.#chance(0.1) ? ` offset ${this.#one(['1m', '6m', '-1m'])}` : '';
    return `${this.#series()}[${range}]${offset}`;
  }

  #series(): string {
    const name = this.#one([
      'requests_total',
      'requests_total',
      'queue_depth',
      'up',
      'temperature',
      'latency_seconds_bucket',
      'latency_seconds_count',
      'plain',
      'strange',
      'nothing_like_it',
    ]);
    const matchers = this.#matchers();
    if (this.#chance(0.03))
      return `{__name__=~"${name}|up"${matchers === '' ? '' : `, ${matchers}`}}`;
    return matchers === '' ? name : `${name}{${matchers}}`;
  }

  #matchers(): string {
    if (this.#chance(0.6)) return '';
    const one = (): string =>
      this.#one([
        'service="orders"',
        'service!="gateway"',
        'service=~"orders|kit.*"',
        'service!~"o.*s"',
        'status=~"2..|5.."',
        'status=""',
        'instance="a"',
        'le=~".+"',
        'code!~"(?i)5[0-9]{2}"',
        'kind=~"nan|infinite"',
      ]);
    return this.#chance(0.3) ? `${one()}, ${one()}` : one();
  }

  #scalar(depth: number): string {
    const literal = (): string =>
      this.#one(['0', '1', '2', '-1', '0.5', '3.25', '1e2', '0x10', 'Inf', 'NaN', '100']);
    if (depth === 0 || this.#chance(0.5)) return literal();
    return this.#one([
      () => 'time()',
      () => `scalar(${this.#vector(depth - 1)})`,
      () => `(${this.#scalar(depth - 1)} ${this.#arithmetic()} ${this.#scalar(depth - 1)})`,
      () => `(${this.#scalar(depth - 1)} ${this.#comparison()} bool ${this.#scalar(depth - 1)})`,
      () => `-${this.#scalar(depth - 1)} ^ 2`,
    ])();
  }

  #arithmetic(): string {
    return this.#one(['+', '-', '*', '/', '%', '^']);
  }

  #comparison(): string {
    return this.#one(['==', '!=', '>', '<', '>=', '<=']);
  }

  #vector(depth: number): string {
    if (depth === 0) return this.#chance(0.5) ? this.#selector() : this.#overRange();
    return this.#one([
      () => this.#selector(),
      () => this.#overRange(),
      () => this.#overRange(),
      () => this.#aggregation(depth),
      () => this.#aggregation(depth),
      () => this.#withNumber(depth),
      () => this.#between(depth),
      () => this.#between(depth),
      () => this.#sets(depth),
      () => this.#call(depth),
      () => `-${this.#vector(0)}`,
      () => this.#ranking(),
      () => this.#histogramQuantile(),
      () => this.#manyToOne(),
    ])();
  }

  #overRange(): string {
    const quantile = this.#one(['0.5', '0.99', '0', '1', '-1', '2']);
    return this.#one([
      () => `rate(${this.#range()})`,
      () => `rate(${this.#range()})`,
      () => `increase(${this.#range()})`,
      () => `irate(${this.#range()})`,
      () => `avg_over_time(${this.#range()})`,
      () => `min_over_time(${this.#range()})`,
      () => `max_over_time(${this.#range()})`,
      () => `sum_over_time(${this.#range()})`,
      () => `count_over_time(${this.#range()})`,
      () => `last_over_time(${this.#range()})`,
      () => `present_over_time(${this.#range()})`,
      () => `absent_over_time(${this.#range()})`,
      () => `stddev_over_time(${this.#range()})`,
      () => `stdvar_over_time(${this.#range()})`,
      () => `quantile_over_time(${quantile}, ${this.#range()})`,
    ])();
  }

  #grouping(): string {
    const labels = this.#one([
      '',
      'service',
      'service, status',
      'instance',
      'le',
      'nothing',
      'code,',
    ]);
    return this.#one([`by (${labels})`, `without (${labels})`]).replace('(,)', '()');
  }

  #aggregation(depth: number): string {
    const of = this.#vector(depth - 1);
    const operation = this.#one(['sum', 'sum', 'avg', 'min', 'max', 'count', 'group', 'quantile']);
    const inside = operation === 'quantile' ? `${this.#one(['0.5', '0.9', '1.5'])}, ${of}` : of;
    return this.#one([
      `${operation}(${inside})`,
      `${operation} ${this.#grouping()} (${inside})`,
      `${operation}(${inside}) ${this.#grouping()}`,
    ]);
  }

  #withNumber(depth: number): string {
    const [vector, number] = [this.#vector(depth - 1), this.#scalar(1)];
    const operator = this.#chance(0.5)
      ? this.#arithmetic()
      : `${this.#comparison()}${this.#one(['', ' bool'])}`;
    return this.#chance(0.5)
      ? `(${vector}) ${operator} ${number}`
      : `${number} ${operator} (${vector})`;
  }

  /** One side is often the other with a function around it, so that there is something to match. */
  #between(depth: number): string {
    const series = this.#series();
    const side = (): string =>
      this.#chance(0.2)
        ? `(${this.#vector(depth - 1)})`
        : this.#one([
            series,
            `rate(${series}[2m])`,
            `max_over_time(${series}[5m])`,
            `${series} offset 1m`,
          ]);
    const operator = this.#chance(0.6)
      ? this.#arithmetic()
      : `${this.#comparison()}${this.#one(['', ' bool'])}`;
    const matching = this.#one([
      '',
      '',
      ' on (service)',
      ' ignoring (status)',
      ' on (service, status, instance)',
    ]);
    return `${side()} ${operator}${matching} ${side()}`;
  }

  #manyToOne(): string {
    const [left, right] = this.#one<readonly [string, string]>([
      ['requests_total', 'sum by (service) (requests_total)'],
      ['rate(requests_total[5m])', 'info'],
      ['queue_depth', 'info'],
      ['temperature', 'max by (service) (temperature)'],
    ]);
    const include = this.#one(['', '()', '(version)', '(version, nothing)', '(status)']);
    const operator = this.#one(['*', '/', '+', '-', '>', '== bool', '<=']);
    return this.#chance(0.6)
      ? `${left} ${operator} on (service) group_left ${include} ${right}`
      : `${right} ${operator} on (service) group_right ${include} ${left}`;
  }

  #sets(depth: number): string {
    const series = this.#series();
    const side = (): string =>
      this.#one([series, `${series} > 5`, `rate(${series}[2m])`, `(${this.#vector(depth - 1)})`]);
    const matching = this.#one(['', '', ' on (service)', ' ignoring (status, instance)', ' on ()']);
    return `${side()} ${this.#one(['and', 'or', 'unless'])}${matching} ${side()}`;
  }

  #call(depth: number): string {
    const of = this.#vector(depth - 1);
    return this.#one([
      () => `abs(${of})`,
      () => `absent(${this.#one([of, this.#selector()])})`,
      () => `clamp_min(${of}, ${this.#scalar(1)})`,
      () => `clamp_max(${of}, ${this.#scalar(1)})`,
      () => `vector(${this.#scalar(depth - 1)})`,
    ])();
  }

  /** Over values that differ, so that there is one right answer. */
  #ranking(): string {
    const k = this.#one(['1', '2', '3', '100', '0', '2.7']);
    const of = this.#one([
      'temperature',
      'temperature offset 1m',
      'max_over_time(temperature[1m])',
    ]);
    const grouping = this.#one(['', ' by (service)', ' without (service)', ' by (instance)']);
    return `${this.#one(['topk', 'bottomk'])}${grouping} (${k}, ${of})`;
  }

  #histogramQuantile(): string {
    const q = this.#one(['0.5', '0.9', '0.99', '0', '1', '-0.5', '1.1', 'NaN']);
    const range = this.#one(['1m', '5m', '10m']);
    const of = this.#one([
      'latency_seconds_bucket',
      `rate(latency_seconds_bucket[${range}])`,
      `sum by (le) (rate(latency_seconds_bucket[${range}]))`,
      `sum by (le, service) (increase(latency_seconds_bucket[${range}]))`,
      `latency_seconds_bucket{le!="+Inf"}`,
      `latency_seconds_bucket{le="+Inf"}`,
      `latency_seconds_bucket{service="orders", le!="0.5"}`,
      'queue_depth',
    ]);
    return `histogram_quantile(${q}, ${of})`;
  }
}

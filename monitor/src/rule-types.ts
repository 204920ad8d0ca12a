// What a rule is. The tables of rules are data; the engine in alerting/ evaluates them, and the
// files in deploy/prometheus are written from them.
//
// U1. An expression is PromQL in the subset of the monitor (promql/); it names only metrics of
//     contracts/src/telemetry.ts, defaults of the Node client, what the scraper writes, and what a
//     recording rule of ours records. A test reads every expression and holds this.
// U2. Templates are those of Prometheus, as far as alerting/template.ts knows them: both render the
//     same sentence from the same labels and value.
// U3. Series carry `service` and `instance`. In Prometheus the scrape configuration gives both to
//     each target (with honor_labels), `up` included.

/** As Prometheus writes durations, one unit. */
export type Duration = `${number}${'s' | 'm' | 'h' | 'd'}`;

/**
 * How much it hurries. `page`: a person is called, students are losing orders or soon will.
 * `ticket`: a person looks within the day.
 */
export type Severity = 'page' | 'ticket';

/** Who looks first. */
export type Owner = 'platform' | 'ordering' | 'payments' | 'shop';

export type AlertRule = {
  /** The condition holds for each series of the answer. */
  readonly expr: string;
  /** How long it holds before the alert fires. */
  readonly for: Duration;
  readonly severity: Severity;
  readonly owner: Owner;
  /** One line with the numbers: the subject of a message. */
  readonly summary: string;
  /** What it means for whom. */
  readonly description: string;
  /** The page under docs/runbooks/, without its ending. */
  readonly runbook: string;
  /** Further labels of the alert. */
  readonly labels?: Readonly<Record<string, string>>;
};

export type RecordingRule = {
  /** `level:metric:operations`, as Prometheus recommends. */
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
};

/** @returns the duration in milliseconds; months and years are not needed here */
export function durationMs(duration: Duration): number {
  const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  return Number(duration.slice(0, -1)) * unitMs[duration.at(-1) as keyof typeof unitMs];
}

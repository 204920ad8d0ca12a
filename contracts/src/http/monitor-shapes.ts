// What the monitor's routes answer with.

import { z } from 'zod';
import { Time } from './shapes.ts';

const attributes = z.record(z.string(), z.unknown());
const labels = z.record(z.string(), z.string());
const milliseconds = z.number().nullable();

export const MonitorHealth = z.object({
  status: z.enum(['up', 'degraded']),
  /** What is wrong, in a sentence each. */
  problems: z.array(z.string()),
  store: z.object({
    status: z.enum(['open', 'broken', 'closed']),
    written: z.record(z.string(), z.int()),
    dropped: z.record(z.string(), z.int()),
    waiting: z.int(),
    fileBytes: z.int(),
    series: z.int(),
    seriesRefused: z.int(),
  }),
  /** Where OTLP/HTTP is taken; null where no port could be opened. */
  otlpPort: z.int().nullable(),
  targets: z.array(z.object({ name: z.string(), up: z.boolean(), why: z.string().optional() })),
});

/** Instants in milliseconds since 1970, as charts take them; NaN and infinities are null. */
export const TimeSeries = z.object({
  labels,
  points: z.array(z.tuple([z.int(), z.number().nullable()])),
});

export const Performance = z.object({
  service: z.string(),
  method: z.string(),
  route: z.string(),
  count: z.number(),
  rate: z.number(),
  errors: z.number(),
  averageMs: milliseconds,
  p50Ms: milliseconds,
  p95Ms: milliseconds,
  p99Ms: milliseconds,
  slowest: z.array(z.object({ traceId: z.string(), durationMs: z.number(), at: Time })),
});

export const ShopAnalytics = z.object({
  from: Time,
  to: Time,
  orders: z.object({
    accepted: z.number(),
    refused: z.number(),
    failed: z.number(),
    paid: z.number(),
    rejected: z.number(),
    cancelled: z.number(),
  }),
  successShare: z.number().nullable(),
  averagePerS: z.number(),
  peakPerS: z.number(),
  throughput: z.array(z.object({ at: Time, acceptedPerS: z.number(), refusedPerS: z.number() })),
  bestSellers: z.array(z.object({ item: z.string(), portions: z.number() })),
  revenueCents: z.object({ captured: z.number(), refunded: z.number(), net: z.number() }),
  hourProfile: z.array(z.number()),
});

export const LogLine = z.object({
  at: Time,
  service: z.string(),
  instance: z.string(),
  level: z.string(),
  message: z.string(),
  line: z.string(),
  traceId: z.string().optional(),
  spanId: z.string().optional(),
  attributes,
});

export const TraceSearchHit = z.object({
  traceId: z.string(),
  at: Time,
  durationMs: z.number(),
  spans: z.int(),
  errors: z.int(),
  services: z.array(z.string()),
  rootService: z.string(),
  rootName: z.string(),
  incomplete: z.boolean(),
});

const SpanView = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  service: z.string(),
  instance: z.string(),
  name: z.string(),
  kind: z.enum(['internal', 'server', 'client', 'producer', 'consumer']),
  at: Time,
  durationMs: z.number(),
  status: z.enum(['unset', 'ok', 'error']),
  statusMessage: z.string().optional(),
  attributes,
  events: z.array(z.object({ at: Time, name: z.string(), attributes })),
  links: z.array(z.object({ traceId: z.string(), spanId: z.string(), attributes })),
});

export const TraceView = z.object({
  traceId: z.string(),
  at: Time,
  durationMs: z.number(),
  /** Spans are missing: a process died, or they were not kept. */
  incomplete: z.boolean(),
  errors: z.int(),
  services: z.array(z.string()),
  spans: z.array(
    SpanView.extend({
      depth: z.int(),
      /** From the start of the trace, corrected for the difference of clocks by `skewMs`. */
      offsetMs: z.number(),
      selfMs: z.number(),
      /** Its share of the critical path. */
      criticalMs: z.number(),
      skewMs: z.number(),
      orphaned: z.boolean(),
    }),
  ),
  /** Without `spanId`: a message waited. */
  criticalPath: z.array(
    z.object({ spanId: z.string().optional(), offsetMs: z.number(), durationMs: z.number() }),
  ),
  linked: z.array(z.object({ span: SpanView, spanIds: z.array(z.string()) })),
  logs: z.array(LogLine),
});

export const WatchedService = z.object({
  name: z.string(),
  kind: z.enum(['service', 'database']),
  /** Whether its /metrics answered last; null where it is known by its traces or logs only. */
  up: z.boolean().nullable(),
  /** Registered by a user. */
  own: z.boolean(),
  rate: z.number(),
  errorShare: z.number().nullable(),
  p50Ms: milliseconds,
  p99Ms: milliseconds,
  /** The most of what it has that is used, each as it was last measured. */
  saturation: z.object({
    cpuShare: z.number().nullable(),
    memoryMb: z.number().nullable(),
    eventLoopDelayMs: milliseconds,
  }),
  /** What its requests are counted from. */
  from: z.enum(['metrics', 'traces', 'nothing']),
});

const Alert = z.object({
  name: z.string(),
  state: z.enum(['pending', 'firing']),
  labels,
  summary: z.string(),
  description: z.string(),
  runbook: z.string(),
  value: z.number().nullable(),
  since: Time,
  firedAt: Time.nullable(),
  /** The id of the silence that covers it. */
  silencedBy: z.string().nullable(),
  /** The alert that makes it needless. */
  inhibitedBy: z.string().nullable(),
});

export const NewSilence = z.strictObject({
  /** All of them fit the labels of an alert, `alertname` included. Patterns are RE2, and anchored. */
  matchers: z
    .array(
      z.strictObject({
        label: z.string().regex(/^[A-Za-z_]\w*$/, 'the name of a label'),
        operator: z.enum(['=', '!=', '=~', '!~']),
        value: z.string().max(500),
      }),
    )
    .min(1)
    .max(20),
  until: Time,
  comment: z.string().trim().min(1).max(1_000),
});

export const Silence = z.object({
  id: z.string(),
  ...NewSilence.shape,
  createdBy: z.string(),
  createdAt: Time,
});

export const AlertsView = z.object({
  /** Firing ones first. */
  alerts: z.array(Alert),
  rules: z.array(
    z.object({
      name: z.string(),
      expr: z.string(),
      for: z.string(),
      severity: z.string(),
      owner: z.string(),
      runbook: z.string(),
      state: z.enum(['inactive', 'pending', 'firing']),
      /** Whether the expression could be evaluated; why not. */
      health: z.enum(['unknown', 'ok', 'failing']),
      error: z.string().optional(),
    }),
  ),
  /** Alerts that fired and ended, newest first. */
  history: z.array(
    z.object({ name: z.string(), labels, summary: z.string(), firedAt: Time, resolvedAt: Time }),
  ),
  silences: z.array(Silence),
  /** Who is told, and whether that works. */
  notifiers: z.array(z.object({ name: z.string(), state: z.enum(['idle', 'ok', 'failing']) })),
});

export const Slo = z.object({
  name: z.string(),
  title: z.string(),
  promise: z.string(),
  target: z.number(),
  windowDays: z.int(),
  /** The share of good events in the window, as far as it is kept; null where nothing is known. */
  achieved: z.number().nullable(),
  /** 1: nothing of what the target allows is spent; below 0 it is broken. */
  budgetLeftShare: z.number().nullable(),
  windows: z.array(
    z.object({
      window: z.string(),
      achieved: z.number().nullable(),
      /** How many times faster than allowed the budget is spent. */
      burnRate: z.number().nullable(),
    }),
  ),
  burning: z.array(
    z.object({ factor: z.number(), long: z.string(), short: z.string(), isBurning: z.boolean() }),
  ),
});

export const Anomaly = z.object({
  kind: z.enum(['level', 'change', 'new_template', 'vanished_template']),
  /** From 4 on; higher is stranger. */
  score: z.number(),
  at: Time,
  sentence: z.string(),
  series: z
    .object({
      name: z.string(),
      labels,
      unit: z.string(),
      before: z.number(),
      now: z.number(),
      spread: z.number(),
      points: z.array(z.tuple([z.int(), z.number()])),
    })
    .optional(),
  log: z
    .object({
      templateId: z.string(),
      template: z.string(),
      services: z.array(z.string()),
      count: z.int(),
      lines: z.array(LogLine),
    })
    .optional(),
});

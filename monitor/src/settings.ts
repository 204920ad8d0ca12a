import { z } from 'zod';
import { notifierSettings } from './alerting/notifiers.ts';

const megabyte = 1024 ** 2;

/** The monitor's own variables. */
export const settings = notifierSettings.extend({
  /** Where OTLP/HTTP is taken in; taken: a warning, and any free port. 0: any free port. */
  RUSHLIGHT_MONITOR_OTLP_PORT: z.coerce.number().int().min(0).max(65_535).default(4_318),
  /** Spans and logs that are older are forgotten. */
  RUSHLIGHT_MONITOR_KEEP_HOURS: z.coerce.number().min(0.1).max(8_760).default(24),
  /** Samples that are older are forgotten. */
  RUSHLIGHT_MONITOR_KEEP_METRICS_HOURS: z.coerce.number().min(0.1).max(8_760).default(168),
  /** What the store may take on disk; beyond it the oldest goes first. */
  RUSHLIGHT_MONITOR_DISK_MB_MAX: z.coerce
    .number()
    .min(64)
    .max(1_000_000)
    .default(1_024)
    .transform((megabytes) => megabytes * megabyte),
  /** A folder of log files that are followed, one a service, as the launcher writes them. */
  RUSHLIGHT_MONITOR_LOG_FOLDER: z.string().min(1).optional(),
  /** How often /metrics of every target is read. */
  RUSHLIGHT_MONITOR_SCRAPE_S: z.coerce.number().min(1).max(300).default(10),
  /** With this token a program, such as a Grafana, may read everything, and change nothing. */
  RUSHLIGHT_MONITOR_TOKEN: z
    .string()
    .regex(/^[\w.~+/=-]{24,500}$/, 'must be 24 to 500 letters, digits or any of . ~ + / = _ -')
    .optional(),
  /** Read /metrics of private addresses other than this machine's too. */
  RUSHLIGHT_MONITOR_PRIVATE_TARGETS: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
});

export type Settings = z.output<typeof settings>;

import { flag } from '@rushlight/chassis';
import { limits } from '@rushlight/contracts';
import { z } from 'zod';

/** The gateway's own variables. Whole numbers; rates are per student, limits per process. */
export const settings = z.object({
  /** Orders a second that one student may send. */
  RUSHLIGHT_GATEWAY_ORDERS_PER_S: z.coerce
    .number()
    .positive()
    .max(1_000_000)
    .default(limits.studentOrdersPerS),
  /** Orders that one student may send at once after a pause. */
  RUSHLIGHT_GATEWAY_ORDERS_BURST: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(limits.studentOrdersBurst),
  /** Requests that are answered at the same time; beyond that they are refused, reads first. */
  RUSHLIGHT_GATEWAY_IN_FLIGHT_MAX: z.coerce.number().int().min(1).max(100_000).default(4_000),
  /** Event streams that are open at the same time. */
  RUSHLIGHT_GATEWAY_STREAMS_MAX: z.coerce.number().int().min(1).max(100_000).default(10_000),
  /** How often stock and revocations are read anew, whatever was broadcast. */
  RUSHLIGHT_GATEWAY_RESYNC_S: z.coerce.number().min(0.1).max(30).default(20),
  /** Believe X-Forwarded-For: only behind a proxy that writes it. */
  RUSHLIGHT_GATEWAY_TRUST_PROXY: flag.default(false),
  /** The folder of the built console. */
  RUSHLIGHT_GATEWAY_CONSOLE: z.string().min(1).optional(),
});

export type Settings = z.output<typeof settings>;

// What the three kinds of telemetry have in common.

import type { Decoded } from './messages.ts';

const hourUs = 3_600_000_000;

/** Counts what is refused, and says why in one sentence for the sender. */
export class Refusals {
  readonly #counts = new Map<string, number>();

  get count(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  add(why: string, count = 1): void {
    this.#counts.set(why, (this.#counts.get(why) ?? 0) + count);
  }

  /** As in "2 refused: a span id must be 8 bytes". */
  message(): string {
    return [...this.#counts].map(([why, count]) => `${count} refused: ${why}`).join('; ');
  }
}

/** More of `service.name` and of the instance is cut off. */
const nameLengthMax = 256;

export type Origin = { service: string; instance: string };

/** M3 of ../model.ts */
export function originOf(resource: Decoded<'Resource'> | undefined): Origin {
  const attributes = resource?.attributes ?? {};
  const first = (...names: string[]): string => {
    for (const name of names) {
      const value = attributes[name];
      if (value !== undefined && value !== '') {
        return String(value).slice(0, nameLengthMax).toWellFormed();
      }
    }
    return '';
  };
  return {
    service: first('service.name') || 'unknown',
    instance: first('service.instance.id', 'host.name', 'k8s.pod.name'),
  };
}

export function isTraceId(id: string | undefined): id is string {
  return id !== undefined && /^[0-9a-f]{32}$/.test(id) && !/^0+$/.test(id);
}

export function isSpanId(id: string | undefined): id is string {
  return id !== undefined && /^[0-9a-f]{16}$/.test(id) && !/^0+$/.test(id);
}

/** There is one, and it is at most an hour ahead: later ones would never grow old here. */
export function isInstant(atUs: number | undefined, nowUs: number): boolean {
  return atUs !== undefined && atUs > 0 && atUs <= nowUs + hourUs;
}

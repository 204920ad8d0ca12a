// The faults that are on. Each acts on a process from outside and ends by itself.
//
// B1. Every fault has an end: a timer that is set before the fault begins.
// B2. A fault heals only what it broke: it resumes the processes that it stopped, and lifts its own
//     hold; another fault on the same target stays.
// B3. A service with several processes is broken as a whole, or one process of it by its own name.

import { randomUUID } from 'node:crypto';
import {
  type ActiveFault,
  ApiError,
  type FaultName,
  faults,
  isFaultTarget,
  kindOfPart,
} from '@rushlight/contracts';
import type { Part } from '../part.ts';
import { childrenOf, signal } from '../processes.ts';

const activeMax = 50;
/** The gateway passes our answer on to the caller; it must live that long. */
const gatewayAnswerMs = 100;

type Entry = { fault: ActiveFault; end: () => void; timer: NodeJS.Timeout | undefined };

export class FaultBook {
  readonly #parts: ReadonlyMap<string, Part>;
  readonly #active = new Map<string, Entry>();
  /** Processes that are stopped, and by how many faults. */
  readonly #stopped = new Map<number, number>();

  constructor(parts: ReadonlyMap<string, Part>) {
    this.#parts = parts;
  }

  active(): ActiveFault[] {
    return [...this.#active.values()].map(({ fault }) => fault);
  }

  /**
   * Switches a fault on.
   *
   * @throws ApiError unknown_fault, bad_request (duration) or busy (too many at once)
   */
  start(request: { fault: string; target: string; durationS: number }): ActiveFault {
    const { fault: name, target, durationS } = request;
    const parts = this.#partsOf(target);
    if (!Object.hasOwn(faults, name) || !isFaultTarget(target) || parts.length === 0) {
      throw new ApiError('unknown_fault', { fault: name, target });
    }
    const fault = name as FaultName;
    const { durationSMax } = faults[fault].limits;
    if (!(durationS >= 0 && durationS <= durationSMax)) {
      throw new ApiError('bad_request', { why: `durationS must be 0 to ${durationSMax}` });
    }
    if (this.#active.size >= activeMax) throw new ApiError('busy', { waitS: 1 });
    const delayMs = parts[0]?.name.startsWith('gateway') ? gatewayAnswerMs : 0;
    const startedMs = Date.now() + delayMs;
    const active: ActiveFault = {
      id: randomUUID(),
      fault,
      target,
      startedAt: new Date(startedMs).toISOString(),
      endsAt: new Date(startedMs + durationS * 1000).toISOString(),
    };
    const effect = this.#effectOf(fault, parts, active.id);
    const entry: Entry = { fault: active, end: effect.heal, timer: undefined };
    this.#active.set(active.id, entry);
    const begin = (): void => {
      entry.timer = setTimeout(() => this.#end(active.id), durationS * 1000); // B1
      effect.begin();
    };
    if (delayMs === 0) begin();
    else entry.timer = setTimeout(begin, delayMs);
    return active;
  }

  /** Heals one fault. Throws ApiError unknown_fault when it is not on. */
  end(id: string): void {
    if (!this.#active.has(id)) throw new ApiError('unknown_fault', { fault: id, target: '?' });
    this.#end(id);
  }

  endAll(): void {
    for (const id of [...this.#active.keys()]) this.#end(id);
  }

  #end(id: string): void {
    const entry = this.#active.get(id);
    if (entry === undefined) return;
    this.#active.delete(id);
    clearTimeout(entry.timer);
    entry.end();
  }

  /** B3. */
  #partsOf(target: string): Part[] {
    const replicas = [...this.#parts.values()].filter(({ name }) => kindOfPart(name) === target);
    return [this.#parts.get(target) ?? replicas].flat();
  }

  #effectOf(fault: FaultName, parts: readonly Part[], id: string): Effect {
    switch (fault) {
      case 'kill':
        return killed(parts, id);
      case 'restart':
        return { begin: () => void this.#restart(parts), heal: () => undefined };
      case 'stop':
        return this.#stop(parts);
    }
  }

  /** One after another. A part that does not start again is told where all that is told. */
  async #restart(parts: readonly Part[]): Promise<void> {
    for (const part of parts) await part.renew().catch(() => undefined);
  }

  #stop(parts: readonly Part[]): Effect {
    const pids: number[] = [];
    return {
      begin: () => {
        for (const { pid } of parts) {
          if (pid === null) continue;
          // The parent first, so that it starts no more children; those of Postgres are its backends.
          signal(pid, 'SIGSTOP');
          const children = childrenOf(pid);
          for (const child of children) signal(child, 'SIGSTOP');
          pids.push(...children, pid);
        }
        for (const stopped of pids) this.#stopped.set(stopped, this.#stopsOf(stopped) + 1);
      },
      heal: () => {
        for (const pid of pids) {
          const left = this.#stopsOf(pid) - 1;
          if (left > 0) {
            this.#stopped.set(pid, left);
          } else {
            this.#stopped.delete(pid);
            signal(pid, 'SIGCONT');
          }
        }
      },
    };
  }

  #stopsOf(pid: number): number {
    return this.#stopped.get(pid) ?? 0;
  }
}

type Effect = { begin(): void; heal(): void };

function killed(parts: readonly Part[], id: string): Effect {
  return {
    begin: () => {
      for (const part of parts) {
        part.hold(id);
        part.signal('SIGKILL');
      }
    },
    heal: () => {
      for (const part of parts) part.release(id);
    },
  };
}

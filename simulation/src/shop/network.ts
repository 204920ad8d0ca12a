// Calls between processes: they take time, and either way may be lost.
//
// N1. Whoever calls hears: the answer, a refused connection (nobody was there: nothing happened), a
//     broken one, or nothing until the deadline. After the last two anything may have happened.

import { UnavailableError } from '@rushlight/chassis';
import type { SimEvent } from '../engine/event-heap.ts';
import { anyLife, type SimProcess } from '../engine/process.ts';
import type { World } from '../engine/world.ts';
import type { Settings } from '../settings.ts';

/** Of the connections that a crash breaks, those of which the caller hears. */
const brokenHeardShare = 0.7;

type Pending<T> = {
  from: SimProcess;
  epoch: number;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
  late: SimEvent | undefined;
  over: boolean;
};

export class Network {
  /** What may go wrong now; healed, only time passes. */
  faulty = true;
  readonly #world: World;
  readonly #settings: Settings;
  readonly #random: () => number;
  readonly #waiting = new Map<SimProcess, Set<() => void>>();

  constructor(world: World, settings: Settings) {
    this.#world = world;
    this.#settings = settings;
    this.#random = world.dice('network');
  }

  /** Asks another process. @throws UnavailableError, or what `serve` throws */
  call<T>(
    from: SimProcess,
    to: SimProcess,
    what: string,
    deadlineMs: number,
    serve: () => Promise<T>,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const { epoch } = from;
      const pending: Pending<T> = { from, epoch, resolve, reject, late: undefined, over: false };
      pending.late = this.#world.schedule(from, epoch, deadlineMs, () => {
        this.#world.story.say(from.name, () => `hears nothing from ${to.name} to ${what}`);
        this.#fail(pending, unavailable(to, what));
      });
      if (this.#happens('request_lost', this.#settings.requestLostRate)) {
        this.#world.story.say('network', () => `loses ${what} from ${from.name} to ${to.name}`);
        return;
      }
      this.#world.schedule(to, anyLife, this.#transitMs(), () =>
        this.#arrive(pending, to, what, serve),
      );
    });
  }

  /** Tells those who wait for a process that died; to be called when it did. */
  breakConnections(to: SimProcess): void {
    const breaks = [...(this.#waiting.get(to) ?? [])];
    this.#waiting.delete(to);
    for (const hear of breaks) if (this.#random() < brokenHeardShare) hear();
  }

  #arrive<T>(pending: Pending<T>, to: SimProcess, what: string, serve: () => Promise<T>): void {
    const { from, epoch } = pending;
    if (!to.up) {
      const refused = new UnavailableError(to.name, `${to.name} is not there`, {
        cause: { code: 'ECONNREFUSED' },
      });
      this.#world.schedule(from, epoch, this.#transitMs(), () => this.#fail(pending, refused));
      return;
    }
    const hearBreak = (): void => {
      this.#world.schedule(from, epoch, this.#transitMs(), () =>
        this.#fail(pending, unavailable(to, what)),
      );
    };
    const waiting = this.#waiting.get(to) ?? new Set();
    this.#waiting.set(to, waiting.add(hearBreak));
    const life = to.epoch;
    const answer = (settle: () => void): void => {
      waiting.delete(hearBreak);
      if (to.epoch !== life) return;
      if (this.#happens('answer_lost', this.#settings.answerLostRate)) {
        this.#world.story.say('network', () => `loses ${to.name}'s answer to ${what}`);
        return;
      }
      this.#world.schedule(from, epoch, this.#transitMs(), settle);
    };
    serve().then(
      (value) => answer(() => this.#settle(pending, () => pending.resolve(value))),
      (error: unknown) => answer(() => this.#fail(pending, error)),
    );
  }

  #fail<T>(pending: Pending<T>, error: unknown): void {
    this.#settle(pending, () => pending.reject(error));
  }

  #settle<T>(pending: Pending<T>, tell: () => void): void {
    if (pending.over) return;
    pending.over = true;
    if (pending.late) pending.late.cancelled = true;
    tell();
  }

  #happens(kind: 'request_lost' | 'answer_lost' | 'slow_call', rate: number): boolean {
    if (!this.faulty || rate === 0 || this.#random() >= rate) return false;
    this.#world.count(kind);
    return true;
  }

  #transitMs(): number {
    const { callMs, slowCallRate, slowMsMax } = this.#settings;
    const slow = this.#happens('slow_call', slowCallRate);
    return this.#random() * (slow ? slowMsMax : callMs);
  }
}

function unavailable(to: SimProcess, what: string): UnavailableError {
  return new UnavailableError(to.name, `${to.name} did not answer ${what}`);
}

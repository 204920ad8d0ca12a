// One notifier, what it was told, and how it fares.

import type { Log } from '@rushlight/chassis';
import type { FiringAlert } from './alert-state.ts';
import { writeMessage } from './message-text.ts';
import { type Memory, type Pace, planNotifications } from './notification-plan.ts';
import type { Notifier } from './notifier.ts';

/** A notifier that did not take a message is left alone for so long. */
const failedPauseMs = 60_000;

export type ReceiverStatus =
  | { state: 'idle' }
  | { state: 'ok'; sentAtMs: number }
  | { state: 'failing'; sinceMs: number; failedAtMs: number; error: string };

export class Receiver {
  readonly notifier: Notifier;
  readonly #log: Log;
  readonly #pace: Pace;
  readonly #link: string | undefined;
  #memory: Memory;
  #status: ReceiverStatus = { state: 'idle' };

  constructor(
    notifier: Notifier,
    options: { log: Log; pace: Pace; link: string | undefined; memory: Memory | undefined },
  ) {
    this.notifier = notifier;
    this.#log = options.log;
    this.#pace = options.pace;
    this.#link = options.link;
    this.#memory = options.memory ?? {};
  }

  get memory(): Memory {
    return this.#memory;
  }

  get status(): ReceiverStatus {
    return this.#status;
  }

  /** Tells what is due. It never throws: what was not sent is due again. */
  async tell(
    firing: readonly FiringAlert[],
    isHeld: (alert: FiringAlert) => boolean,
    nowMs: number,
  ): Promise<void> {
    const status = this.#status;
    // The clock may have been set back meanwhile.
    const isPaused = (atMs: number): boolean => atMs <= nowMs && nowMs - atMs < failedPauseMs;
    if (status.state === 'failing' && isPaused(status.failedAtMs)) return;
    const plan = planNotifications(this.#memory, firing, isHeld, nowMs, this.#pace);
    const memory = { ...plan.memory };
    for (const { message, then } of plan.messages) {
      try {
        await this.notifier.send(writeMessage(message, this.#link));
        if (then === undefined) delete memory[message.group];
        else memory[message.group] = then;
        if (this.#status.state === 'failing') this.#log.info(this.#names(), 'notifier works again');
        this.#status = { state: 'ok', sentAtMs: nowMs };
      } catch (error) {
        this.#fail((error as Error).message, nowMs);
        break;
      }
    }
    this.#memory = memory;
  }

  #fail(error: string, nowMs: number): void {
    const sinceMs = this.#status.state === 'failing' ? this.#status.sinceMs : nowMs;
    if (this.#status.state !== 'failing') {
      this.#log.warn({ ...this.#names(), reason: error }, 'alerts could not be sent; tried again');
    }
    this.#status = { state: 'failing', sinceMs, failedAtMs: nowMs, error };
  }

  #names(): { notifier: string } {
    return { notifier: this.notifier.name };
  }
}

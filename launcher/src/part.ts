// One process that is kept alive: started, watched, started again with back-off, stopped in steps.
//
// R1. At most one process of a part runs at a time.
// R2. It is started again at once, then ever later (doubling to a limit); some health resets that.
// R3. While anybody holds it down (a fault), it is not started.
// R4. Once told to stop it is never started again.
// R5. A renewal is no death: the new process starts as soon as the old one has ended, and no sooner.

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { type EndStep, signal } from './processes.ts';

export type RestartPolicy = {
  delayMsMin: number;
  delayMsMax: number;
  /** The same for a part that was ready before it died: somebody may be waiting for it. */
  delayMsMaxOnceReady: number;
  /** So long up, and the next death counts as the first again. */
  healthyMs: number;
  /** So many deaths in a row before ready, and the part counts as failed. It is tried on. */
  deathsMax: number;
  /** Not ready after so long: killed, which counts as a death. */
  readyMsMax: number;
};

export const restartPolicy: RestartPolicy = {
  delayMsMin: 100,
  delayMsMax: 5_000,
  delayMsMaxOnceReady: 1_000,
  healthyMs: 10_000,
  deathsMax: 5,
  readyMsMax: 60_000,
};

/** The exit code with which a service says that its configuration is wrong: another try is no use. */
const badConfigurationCode = 78;

export type PartEvent =
  | { type: 'started'; pid: number }
  | { type: 'ready'; first: boolean; downMs: number }
  | { type: 'died'; how: string; wasReady: boolean }
  /** It ended because it was told to (R5). */
  | { type: 'ended' }
  | { type: 'failed'; how: string };

export type PartSpec = {
  readonly name: string;
  readonly policy: RestartPolicy;
  readonly stopSteps: readonly EndStep[];
  spawn(): ChildProcess;
  /** Resolves when this process is ready to work; rejects when it can never be. */
  ready(child: ChildProcess, gone: AbortSignal): Promise<void>;
  onEvent(event: PartEvent): void;
};

type State =
  | { status: 'idle' }
  | { status: 'waiting'; timer: NodeJS.Timeout }
  | { status: 'held' }
  | { status: 'starting'; child: ChildProcess }
  | { status: 'up'; child: ChildProcess; upMs: number }
  | { status: 'stopped' };

export class Part {
  readonly name: string;
  readonly #spec: PartSpec;
  readonly #holds = new Set<string>();
  readonly #listeners = new Set<() => void>();
  #state: State = { status: 'idle' };
  #sinceMs = Date.now();
  #downMs = performance.now();
  #deathsInRow = 0;
  #restarts = 0;
  #wasUp = false;
  #failure: string | undefined;
  /** The process that ends to make room for a new one. */
  #renewed: ChildProcess | undefined;

  constructor(spec: PartSpec) {
    this.name = spec.name;
    this.#spec = spec;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get up(): boolean {
    return this.#state.status === 'up';
  }

  /** How it last died, while it dies again and again before it is ready. */
  get failure(): string | undefined {
    return this.#failure;
  }

  view(): {
    name: string;
    running: boolean;
    ready: boolean;
    sinceMs: number;
    pid: number | null;
    restarts: number;
  } {
    const { name, pid, up: ready } = this;
    const [running, sinceMs, restarts] = [pid !== null, this.#sinceMs, this.#restarts];
    return { name, running, ready, sinceMs, pid, restarts };
  }

  start(): void {
    assert(this.#state.status === 'idle', `${this.name} is started twice`);
    this.#startNow();
  }

  /** Resolves when it is up; rejects when it has failed or was stopped. */
  whenUp(): Promise<void> {
    return this.#when(() => {
      if (this.up) return true;
      if (this.#failure !== undefined) throw new Error(`${this.name} failed: ${this.#failure}`);
      if (this.#state.status === 'stopped') throw new Error(`${this.name} was stopped`);
      return false;
    });
  }

  /** Sends a signal to the process, if there is one. */
  signal(name: NodeJS.Signals): void {
    if (this.pid !== null) signal(this.pid, name);
  }

  /** Keeps it from being started again until the same id is released. */
  hold(id: string): void {
    this.#holds.add(id);
    if (this.#state.status === 'waiting') {
      clearTimeout(this.#state.timer);
      this.#state = { status: 'held' };
    }
  }

  release(id: string): void {
    if (this.#holds.delete(id) && this.#holds.size === 0 && this.#state.status === 'held') {
      this.#startNow();
    }
  }

  /** Does not wait any longer with the next start: what it died of may be over. */
  hurry(): void {
    if (this.#state.status !== 'waiting') return;
    clearTimeout(this.#state.timer);
    this.#startNow();
  }

  /** Ends it for good, step by step. Resolves when it is gone. */
  async stop(steps: readonly EndStep[] = this.#spec.stopSteps): Promise<void> {
    const child = this.#child;
    if (this.#state.status === 'waiting') clearTimeout(this.#state.timer);
    this.#state = { status: 'stopped' };
    this.#changed();
    if (child !== undefined) await endChild(child, steps);
    this.#changed();
  }

  /**
   * Ends its process step by step, and starts a new one. Resolves when that is up.
   *
   * @throws Error when it does not start
   */
  async renew(): Promise<void> {
    const child = this.#state.status === 'up' ? this.#state.child : undefined;
    if (child !== undefined) {
      this.#renewed = child;
      await endChild(child, this.#spec.stopSteps);
    }
    await this.whenUp();
  }

  get #child(): ChildProcess | undefined {
    const state = this.#state;
    return state.status === 'starting' || state.status === 'up' ? state.child : undefined;
  }

  #startNow(): void {
    let child: ChildProcess;
    try {
      child = this.#spec.spawn();
    } catch (error) {
      this.#onDeath(undefined, (error as Error).message, null); // A full disk, for one.
      return;
    }
    const gone = new AbortController();
    this.#enter({ status: 'starting', child });
    let ended = false;
    const end = (how: string, code: number | null): void => {
      if (ended) return;
      ended = true;
      gone.abort(new Error(how));
      this.#onDeath(child, how, code);
    };
    child.once('exit', (code, signalName) => end(signalName ?? `exit code ${code}`, code));
    child.once('error', (error) => {
      if (child.pid === undefined) end(error.message, null);
    });
    if (child.pid === undefined) return;
    this.#spec.onEvent({ type: 'started', pid: child.pid });
    this.#waitForReady(child, gone.signal);
  }

  #waitForReady(child: ChildProcess, gone: AbortSignal): void {
    const limit = setTimeout(() => child.kill('SIGKILL'), this.#spec.policy.readyMsMax);
    gone.addEventListener('abort', () => clearTimeout(limit), { once: true });
    this.#spec.ready(child, gone).then(
      () => {
        clearTimeout(limit);
        this.#onReady(child);
      },
      () => void child.kill('SIGKILL'),
    );
  }

  #onReady(child: ChildProcess): void {
    if (this.#state.status !== 'starting' || this.#state.child !== child) return;
    this.#enter({ status: 'up', child, upMs: performance.now() });
    this.#failure = undefined;
    const first = !this.#wasUp;
    this.#wasUp = true;
    this.#spec.onEvent({ type: 'ready', first, downMs: performance.now() - this.#downMs });
    this.#changed();
  }

  #onDeath(child: ChildProcess | undefined, how: string, code: number | null): void {
    if (this.#state.status === 'stopped' || this.#child !== child) return;
    const { policy, onEvent } = this.#spec;
    const wasReady = this.#state.status === 'up';
    const upForMs = this.#state.status === 'up' ? performance.now() - this.#state.upMs : 0;
    if (wasReady) this.#downMs = performance.now();
    if (child !== undefined && child === this.#renewed) {
      this.#onRenewal();
      return;
    }
    this.#deathsInRow = upForMs >= policy.healthyMs ? 1 : this.#deathsInRow + 1;
    this.#restarts += 1;
    onEvent({ type: 'died', how, wasReady });
    const hopeless = code === badConfigurationCode || this.#deathsInRow >= policy.deathsMax;
    if (!wasReady && hopeless && this.#failure === undefined) {
      this.#failure = how;
      onEvent({ type: 'failed', how });
    }
    this.#enter(this.#holds.size > 0 ? { status: 'held' } : this.#wait(wasReady));
    this.#changed();
  }

  #onRenewal(): void {
    this.#renewed = undefined;
    this.#restarts += 1;
    this.#spec.onEvent({ type: 'ended' });
    if (this.#holds.size > 0) this.#enter({ status: 'held' });
    else this.#startNow();
  }

  #wait(wasReady: boolean): State {
    const { delayMsMin, delayMsMax, delayMsMaxOnceReady } = this.#spec.policy;
    const limitMs = wasReady ? delayMsMaxOnceReady : delayMsMax;
    const delayMs = Math.min(limitMs, delayMsMin * 2 ** (this.#deathsInRow - 1));
    return { status: 'waiting', timer: setTimeout(() => this.#startNow(), delayMs) };
  }

  #enter(state: State): void {
    const wasRunning = this.#child !== undefined;
    this.#state = state;
    if (wasRunning !== (this.#child !== undefined)) this.#sinceMs = Date.now();
  }

  #when(holds: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        try {
          if (!holds()) return;
          this.#listeners.delete(look);
          resolve();
        } catch (error) {
          this.#listeners.delete(look);
          reject(error);
        }
      };
      this.#listeners.add(look);
      look();
    });
  }

  #changed(): void {
    for (const look of [...this.#listeners]) look();
  }
}

async function endChild(child: ChildProcess, steps: readonly EndStep[]): Promise<void> {
  if (child.pid === undefined) return;
  for (const step of steps) {
    if (hasExited(child)) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    signal(child.pid, step.signal);
    signal(child.pid, 'SIGCONT');
    await withTimeLimit(gone, step.waitMs);
  }
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function withTimeLimit(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}

// A page that listens to a student's own events, and comes back with the last id whenever the line
// breaks.

import type { Sink } from '@rushlight/notifications/protocol';
import { anyLife, type SimProcess } from '../engine/process.ts';
import type { Shop } from '../shop/shop.ts';
import type { Recorder } from './recorder.ts';

const comeBackMs = 700;
/** Far below what anybody notices, and enough to tell first from second. */
const orderMs = 1e-6;

export class StreamListener {
  readonly proc: string;
  readonly student: string;
  readonly #shop: Shop;
  readonly #recorder: Recorder;
  readonly #random: () => number;
  #lastEventId: string | undefined;
  /** Counts lines: whatever still comes over an old one is gone. */
  #line = 0;
  #close: (() => void) | undefined;

  constructor(shop: Shop, recorder: Recorder, student: string) {
    this.#shop = shop;
    this.#recorder = recorder;
    this.student = student;
    this.proc = `${student}'s page`;
    this.#random = shop.world.dice(`line of ${student}`);
    shop.processes.notifications.onCrash.push(() => this.#broken(this.#line));
  }

  /** From the first event on, so that nothing of it is missed. */
  start(): void {
    this.#lastEventId = '0';
    this.#connect();
  }

  #connect(): void {
    const line = ++this.#line;
    const { world, processes } = this.#shop;
    const { notifications } = processes;
    world.schedule(notifications, anyLife, this.#random() * 5, () => {
      const { streams } = this.#shop;
      if (!notifications.up || !streams) return this.#broken(line);
      this.#close = streams.open({
        audience: { studentId: this.student },
        menu: false,
        owner: this.student,
        lastEventId: this.#lastEventId,
        expiresAtMs: Number.POSITIVE_INFINITY,
        sink: this.#sink(line, processes.students),
      });
    });
  }

  #sink(line: number, students: SimProcess): Sink {
    const { world, settings, network } = this.#shop;
    let arrivesMs = 0;
    return {
      write: (text) => {
        if (network.faulty && this.#random() < settings.streamCutRate) {
          world.count('stream_cut');
          this.#broken(line);
          return;
        }
        // One line keeps its order.
        const soonestMs = world.elapsedMs + this.#random() * settings.callMs;
        arrivesMs = Math.max(arrivesMs + orderMs, soonestMs);
        world.schedule(students, anyLife, arrivesMs - world.elapsedMs, () =>
          this.#hear(line, text),
        );
      },
      waitingBytes: () => 0,
      drained: async () => undefined,
      end: () => this.#broken(line),
      cut: () => this.#broken(line),
    };
  }

  #broken(line: number): void {
    if (line !== this.#line) return;
    this.#line += 1;
    const close = this.#close;
    this.#close = undefined;
    const { world } = this.#shop;
    world.at(0, () => close?.());
    world.at(comeBackMs * (0.5 + this.#random()), () => this.#connect());
  }

  #hear(line: number, text: string): void {
    if (line !== this.#line) return;
    for (const frame of text.split('\n\n')) {
      const id = /^id: (\d+)$/m.exec(frame)?.[1];
      if (id === undefined) continue;
      this.#lastEventId = id;
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data === undefined || !frame.includes('event: order')) continue;
      const { orderId, status } = JSON.parse(data) as { orderId: string; status: string };
      this.#recorder.hear(this.proc, { eventId: Number(id), orderId, status });
    }
  }
}

// What the clients did and saw, for the auditor.

import type { End, Entry, Invoke } from '@rushlight/auditor';
import type { World } from '../engine/world.ts';

type Of<T> = T extends unknown ? Omit<T, 't' | 'call' | 'proc'> : never;
export type Asked = Of<Invoke>;
export type Ended = Of<End>;

export class Recorder {
  readonly entries: Entry[] = [];
  readonly #world: World;
  #calls = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Writes an invocation down before it is sent. Returns how to write down its end. */
  invoke(proc: string, asked: Asked): (ended: Ended) => void {
    const call = ++this.#calls;
    this.#write({ ...asked, t: this.#world.wallMs, proc, call } as Entry);
    this.#world.story.say(proc, () => `asks #${call}: ${toldAsk(asked)}`);
    return (ended) => {
      this.#write({ ...ended, t: this.#world.wallMs, proc, call } as Entry);
      this.#world.story.say(proc, () => `gets #${call}: ${toldEnd(ended)}`);
    };
  }

  hear(proc: string, heard: { eventId: number; orderId: string; status: string }): void {
    this.#write({ type: 'heard', ...heard, t: this.#world.wallMs, proc });
  }

  #write(entry: Entry): void {
    this.entries.push(entry);
    this.#world.mark(entry.type.charCodeAt(0) * 31 + this.entries.length);
  }
}

function toldAsk(asked: Asked): string {
  switch (asked.op) {
    case 'place': {
      const lines = asked.lines.map(({ itemId, quantity }) => `${quantity} ${itemId}`);
      return `place ${lines.join(' + ')} for ${asked.student} under key ${asked.key}`;
    }
    case 'cancel':
    case 'refuse':
    case 'read':
      return `${asked.op} ${asked.orderId.slice(-5)}`;
    case 'stock':
      return 'what is left';
    case 'add':
      return `add ${asked.quantity} ${asked.itemId}`;
  }
}

function toldEnd(ended: Ended): string {
  switch (ended.type) {
    case 'fail':
      return `${ended.status} ${ended.code}`;
    case 'info':
      return `nobody knows (${ended.why})`;
    case 'ok':
      if (ended.op === 'place') return `${ended.status} order ${ended.orderId.slice(-5)}`;
      if (ended.op === 'read') return `${ended.order.orderId.slice(-5)} is ${ended.order.status}`;
      return 'done';
  }
}

// Who listens to what: the open streams, found by the events that are for them, so that an event
// costs as much as it has listeners, however many streams are open.

import type { Audience, StreamRow } from './store.ts';

export type Listening = {
  audience: Audience;
  /** Hears of the menu too. */
  menu: boolean;
  /** Who it counts against. */
  owner: string;
};

export class OpenStreams<S extends Listening> {
  readonly #all = new Set<S>();
  readonly #menu = new Set<S>();
  readonly #everyOrder = new Set<S>();
  readonly #byStudent = new Map<string, Set<S>>();
  readonly #byOrder = new Map<string, Set<S>>();
  readonly #byOwner = new Map<string, Set<S>>();

  get size(): number {
    return this.#all.size;
  }

  sizeOf(owner: string): number {
    return this.#byOwner.get(owner)?.size ?? 0;
  }

  all(): Iterable<S> {
    return this.#all;
  }

  add(stream: S): void {
    const { audience, menu, owner } = stream;
    this.#all.add(stream);
    put(this.#byOwner, owner, stream);
    if (menu) this.#menu.add(stream);
    if (audience.orderId !== undefined) put(this.#byOrder, audience.orderId, stream);
    else if (audience.studentId !== undefined) put(this.#byStudent, audience.studentId, stream);
    else this.#everyOrder.add(stream);
  }

  delete(stream: S): void {
    const { audience, owner } = stream;
    this.#all.delete(stream);
    this.#menu.delete(stream);
    this.#everyOrder.delete(stream);
    drop(this.#byOwner, owner, stream);
    if (audience.orderId !== undefined) drop(this.#byOrder, audience.orderId, stream);
    if (audience.studentId !== undefined) drop(this.#byStudent, audience.studentId, stream);
  }

  /** The streams that this event is for. */
  listenersOf(row: StreamRow): Iterable<S>[] {
    if (row.kind === 'menu') return [this.#menu];
    return [
      this.#everyOrder,
      this.#byStudent.get(row.studentId ?? '') ?? [],
      this.#byOrder.get(row.orderId ?? '') ?? [],
    ];
  }
}

function put<S>(index: Map<string, Set<S>>, key: string, stream: S): void {
  const streams = index.get(key) ?? new Set();
  index.set(key, streams.add(stream));
}

function drop<S>(index: Map<string, Set<S>>, key: string, stream: S): void {
  const streams = index.get(key);
  streams?.delete(stream);
  if (streams?.size === 0) index.delete(key);
}

/** Whether an event is for this stream; the same question as `listenersOf`, asked of one. */
export function wants({ audience, menu }: Listening, row: StreamRow): boolean {
  if (row.kind === 'menu') return menu;
  if (audience.orderId !== undefined) return row.orderId === audience.orderId;
  return audience.studentId === undefined || row.studentId === audience.studentId;
}

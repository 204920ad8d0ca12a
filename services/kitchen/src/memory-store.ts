// The operations of the kitchen in memory: each is one step that nothing can interrupt. The
// simulation runs the protocol on it.

import { planStarts, type Start } from './stations.ts';
import {
  changeOf,
  eachOnce,
  type Kitchen,
  type KitchenStore,
  type Placed,
  type Pressed,
  startOf,
  type TakenIn,
  type TakenMessage,
  type TicketChange,
} from './store.ts';
import {
  type Action,
  advance,
  eventOf,
  type Ticket,
  type TicketEvent,
  type TicketState,
  type TicketStatus,
} from './ticket.ts';

type Emit = (topic: 'ticket.changed', events: TicketChange[]) => void;

export class MemoryKitchenStore implements KitchenStore {
  readonly #emit: Emit;
  readonly #inbox = new Set<string>();
  /** In the order of arrival. */
  readonly #tickets = new Map<string, Ticket>();

  /** `emit` is called where the transaction would commit its outbox rows. */
  constructor(emit: Emit) {
    this.#emit = emit;
  }

  async takeIn(
    messages: readonly TakenMessage[],
    nowMs: number,
    kitchen?: Kitchen,
  ): Promise<TakenIn> {
    const taken = messages.filter(({ messageId }) => this.#isNew(messageId));
    for (const orderId of taken.flatMap(({ dead }) => dead)) {
      this.#move(orderId, { type: 'order_dead' }, nowMs);
    }
    const someWait = this.#in('waiting').length > 0;
    const voided: TicketChange[] = [];
    const added: Ticket[] = [];
    for (const ticket of eachOnce(taken.flatMap(({ tickets }) => tickets))) {
      const known = this.#tickets.get(ticket.orderId);
      if (known?.state.status === 'voided') {
        voided.push(...changeOf(ticket.orderId, known.state, nowMs));
      }
      if (known) continue;
      const fresh: Ticket = { ...ticket, arrivedAtMs: nowMs, state: { status: 'waiting' } };
      this.#tickets.set(ticket.orderId, fresh);
      added.push(fresh);
    }
    const starts = kitchen && !someWait ? this.#start({ ...kitchen, nowMs, waiting: added }) : [];
    this.#say([...starts.flatMap((start) => startOf(start, nowMs)), ...voided]);
    return { unready: added.length - starts.filter(({ readyAtOnce }) => readyAtOnce).length };
  }

  async startDue(options: Kitchen & { nowMs: number; limit: number }) {
    const { nowMs, limit } = options;
    const waiting = this.#in('waiting').slice(0, limit);
    const starts = this.#start({ ...options, waiting });
    this.#say(starts.flatMap((start) => startOf(start, nowMs)));
    return starts.length;
  }

  #start(options: Kitchen & { nowMs: number; waiting: readonly Ticket[] }): Start[] {
    const { nowMs } = options;
    const busy = this.#in('cooking').map(({ state }) =>
      state.status === 'cooking' ? state.station : 0,
    );
    const starts = planStarts({ ...options, busy });
    for (const { orderId, station, readyAtMs, readyAtOnce } of starts) {
      this.#move(orderId, { type: 'start', station, readyAtMs }, nowMs);
      if (readyAtOnce) this.#move(orderId, { type: 'finish', atMs: readyAtMs }, nowMs);
    }
    return starts;
  }

  async finishDue(nowMs: number, limit: number) {
    const due = this.#in('cooking').filter(
      ({ state }) => state.status === 'cooking' && state.readyAtMs <= nowMs,
    );
    due.sort((a, b) => readyAtMsOf(a) - readyAtMsOf(b));
    const changes = due
      .slice(0, limit)
      .flatMap((ticket) =>
        this.#move(ticket.orderId, { type: 'finish', atMs: readyAtMsOf(ticket) }, nowMs),
      );
    this.#say(changes);
    return changes.length;
  }

  async collectDue(readyBeforeMs: number, nowMs: number, limit: number) {
    const due = this.#in('ready').filter((ticket) => readyAtMsOf(ticket) < readyBeforeMs);
    due.sort((a, b) => readyAtMsOf(a) - readyAtMsOf(b));
    const changes = due
      .slice(0, limit)
      .flatMap(({ orderId }) => this.#move(orderId, { type: 'collect' }, nowMs));
    this.#say(changes);
    return changes.length;
  }

  async agenda() {
    const cooking = this.#in('cooking').map(readyAtMsOf);
    return {
      waiting: this.#in('waiting').length > 0,
      cooking: cooking.length,
      nextReadyAtMs: cooking.length > 0 ? Math.min(...cooking) : undefined,
    };
  }

  async press(orderId: string, action: Action, nowMs: number, reason = ''): Promise<Pressed> {
    const known = this.#tickets.get(orderId);
    if (!known && action !== 'void') return { kind: 'unknown' };
    const event = eventOf(action, nowMs, reason);
    const step = advance(known?.state, event);
    if (step.kind === 'refused' && known) {
      return { kind: 'wrong_state', status: known.state.status };
    }
    if (step.kind === 'moved') this.#say(this.#move(orderId, event, nowMs));
    const ticket = this.#tickets.get(orderId);
    return ticket ? { kind: 'done', ticket } : { kind: 'unknown' };
  }

  async display(waitingMax: number, readyMax: number) {
    const waiting = this.#in('waiting');
    const ready = this.#in('ready').sort((a, b) => readyAtMsOf(b) - readyAtMsOf(a));
    const shown = new Set([
      ...ready.slice(0, readyMax),
      ...this.#in('cooking'),
      ...waiting.slice(0, waitingMax),
    ]);
    const tickets = [...this.#tickets.values()].filter((ticket) => shown.has(ticket));
    return { waiting: waiting.length, tickets: tickets.map((ticket) => this.#placed(ticket)) };
  }

  async placed(orderIds: readonly string[]): Promise<Placed[]> {
    return [...this.#in('waiting'), ...this.#in('cooking')]
      .filter(({ orderId }) => orderIds.includes(orderId))
      .map((ticket) => this.#placed(ticket));
  }

  async cookingUntilMs() {
    return this.#in('cooking').map(readyAtMsOf);
  }

  async counts() {
    const count = (status: TicketStatus): number => this.#in(status).length;
    return { waiting: count('waiting'), cooking: count('cooking'), ready: count('ready') };
  }

  async page(after: string | undefined, limit: number) {
    return [...this.#tickets.values()]
      .map(({ orderId, state }) => ({ orderId, status: state.status }))
      .filter(({ orderId }) => after === undefined || orderId > after)
      .sort((a, b) => (a.orderId < b.orderId ? -1 : 1))
      .slice(0, limit);
  }

  async forget(beforeMs: number, limit: number) {
    const ended = (['collected', 'refused', 'voided'] as const).flatMap((status) =>
      this.#in(status),
    );
    const old = ended.filter(({ arrivedAtMs }) => arrivedAtMs < beforeMs).slice(0, limit);
    for (const { orderId } of old) this.#tickets.delete(orderId);
    return old.length;
  }

  #isNew(messageId: string): boolean {
    if (this.#inbox.has(messageId)) return false;
    this.#inbox.add(messageId);
    return true;
  }

  #in(status: TicketStatus): Ticket[] {
    return [...this.#tickets.values()].filter(({ state }) => state.status === status);
  }

  /** What the bus is to hear of it; nothing when it did not move. */
  #move(orderId: string, event: TicketEvent, nowMs: number): TicketChange[] {
    const known = this.#tickets.get(orderId);
    const step = advance(known?.state, event);
    if (step.kind !== 'moved') return [];
    const { state } = step;
    const tombstone = { orderId, pickupNumber: 0, lines: [], cookMs: 0, arrivedAtMs: nowMs };
    this.#tickets.set(orderId, { ...(known ?? tombstone), state });
    return changeOf(orderId, state, nowMs);
  }

  #say(changes: TicketChange[]): void {
    if (changes.length > 0) this.#emit('ticket.changed', changes);
  }

  #placed(ticket: Ticket): Placed {
    const place = this.#in('waiting').indexOf(ticket);
    return { ...ticket, queuePosition: place < 0 ? undefined : place + 1 };
  }
}

function readyAtMsOf({ state }: { state: TicketState }): number {
  return 'readyAtMs' in state ? state.readyAtMs : 0;
}

// What the clients did and saw, in the order in which it was recorded.
//
// H1. An invocation is recorded before it is sent; its end, if the client ever learns of one, after.
// H2. `ok`: it happened. `fail`: it certainly did not happen. `info`: nobody knows (a time-out, a
//     dropped line, a 5xx), now or for ever.
// H3. An invocation without an end counts as `info`.

export type Line = { itemId: string; quantity: number };

/** Milliseconds on one clock, the one that the services stamp their records with. */
type At = { t: number };

/** A client that does one thing after another: a student, a line of hers, the kitchen, an admin. */
type By = { proc: string };

/** Ties an invocation to its end; unique in a history. */
type Of = { call: number };

/** What an order's body told the client. */
export type SeenOrder = { orderId: string; status: string; reason?: string };

export type Invoke = At &
  By &
  Of & { type: 'invoke' } & (
    | { op: 'place'; student: string; key: string; lines: readonly Line[] }
    | { op: 'cancel'; orderId: string }
    | { op: 'refuse'; orderId: string }
    | { op: 'read'; orderId: string }
    | { op: 'stock' }
    | { op: 'add'; itemId: string; quantity: number }
  );

export type End = At &
  By &
  Of &
  (
    | { type: 'ok'; op: 'place'; status: 201 | 202; orderId: string; body: string }
    | { type: 'ok'; op: 'cancel' | 'refuse' }
    | { type: 'ok'; op: 'read'; order: SeenOrder }
    | { type: 'ok'; op: 'stock'; items: readonly { itemId: string; available: number }[] }
    | { type: 'ok'; op: 'add' }
    /** `code`: the problem's code, such as sold_out; `itemId`: the item that was short. */
    | { type: 'fail'; op: Invoke['op']; status: number; code: string; itemId?: string }
    | { type: 'info'; op: Invoke['op']; status?: number; code?: string; why: string }
  );

/** A step of an order that a client heard on its stream. */
export type Notice = At &
  By & {
    type: 'heard';
    eventId: number;
    orderId: string;
    status: string;
  };

export type Entry = Invoke | End | Notice;

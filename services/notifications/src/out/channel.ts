// A way out of the platform, and what an attempt on it may come to.
//
// C1. An attempt ends in bounded time, and never throws: what is not known to have arrived is `later`
//     or `down`, and comes again under the same id.
// C2. `why` is a code of ours or of a protocol, never what somebody wrote: it stands in logs.

export const channelNames = ['mail', 'sms'] as const;
export type ChannelName = (typeof channelNames)[number];

export type Letter = {
  orderId: string;
  /** The status that the order reached. */
  step: string;
  studentId: string;
  text: string;
};

export type Attempt =
  | { outcome: 'sent' }
  /** It will never be taken: not this message, or not for this recipient. */
  | { outcome: 'refused'; why: string }
  /** Not now; the other side works, and may have said for how long. */
  | { outcome: 'later'; why: string; waitMs?: number }
  /** The other side is not there, or takes nothing from us at all. */
  | { outcome: 'down'; why: string };

export interface Channel {
  readonly name: ChannelName;
  /** The other side, as logs may name it. */
  readonly host: string;
  send(letter: Letter): Promise<Attempt>;
  /** Gives up what is under way. */
  close(): void;
}

import type { MessageText } from './message-text.ts';

/** Somebody who may be told. */
export interface Notifier {
  readonly name: string;
  /** @throws SendError when it was not taken, after a few tries */
  send(text: MessageText): Promise<void>;
  /** Gives up what is being sent. */
  close(): void;
}

/** A message was not sent. Its sentence names the receiver's host and its answer, no secret. */
export class SendError extends Error {
  override readonly name = 'SendError';
}

// Server-sent events, read as the console reads them: a fetch with the Authorization header.

import { type StreamEvent, type StreamEventKind, streamEvents } from '@rushlight/contracts';
import { eventually } from './eventually.ts';
import type { Api } from './http.ts';

export type Received = StreamEvent & { id: string };

export type Stream = {
  readonly events: readonly Received[];
  /** Waits for an event, past ones included. */
  next(what: string, is: (event: Received) => boolean): Promise<Received>;
  ended(): boolean;
  close(): void;
};

/** @throws Error when the answer is not a stream */
export async function openStream(
  api: Api,
  path: string,
  token: string,
  lastEventId?: string,
): Promise<Stream> {
  const headers = {
    accept: 'text/event-stream',
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  };
  const { statusCode, headers: got, body } = await api.open(path, { token, headers });
  const type = String(got['content-type']);
  if (statusCode !== 200 || !type.startsWith('text/event-stream')) {
    throw new Error(`${path}: ${statusCode} ${type} ${await body.text()}`);
  }
  const events: Received[] = [];
  let ended = false;
  let rest = '';
  body.setEncoding('utf8');
  body.on('data', (chunk: string) => {
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event) events.push(event);
    }
  });
  const end = (): void => {
    ended = true;
  };
  body.once('end', end).once('close', end).on('error', end);
  return {
    events,
    ended: () => ended,
    next: (what, is) =>
      eventually(what, () => events.find(is)).catch((error) => {
        const seen = events.map(({ kind, data }) => `${kind} ${JSON.stringify(data)}`).join('\n');
        throw new Error(`${error.message}; ${events.length} events came:\n${seen}`);
      }),
    close: () => void body.destroy(),
  };
}

function parseBlock(block: string): Received | undefined {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (name !== '') fields.set(name, value);
  }
  const data = fields.get('data');
  if (data === undefined) return undefined; // A comment that keeps the line open.
  const kind = (fields.get('event') ?? 'message') as StreamEventKind;
  const schema = streamEvents[kind];
  if (schema === undefined) throw new Error(`an event of an unknown kind: ${block}`);
  return { id: fields.get('id') ?? '', kind, data: schema.parse(JSON.parse(data)) } as Received;
}

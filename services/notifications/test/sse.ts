// A client of server-sent events as simple as a browser's: it keeps the last id that it saw.

import { setTimeout as pause } from 'node:timers/promises';
import type { Client, User } from '@rushlight/chassis';
import type { Route } from '@rushlight/contracts';

export type Heard = { id: number; event: string; data: Record<string, unknown> };

export type EventSource = {
  heard: Heard[];
  lastId(): string | undefined;
  comments(): number;
  /** Resolves when the stream ended, however it did. */
  ended: Promise<void>;
  close(): void;
};

export async function listen(
  client: Client,
  route: Route,
  user: User,
  options: { params?: Record<string, unknown>; lastEventId?: string | undefined } = {},
): Promise<EventSource> {
  const abort = new AbortController();
  const { params, lastEventId } = options;
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const response = await client.stream(route, { params, headers }, { user, signal: abort.signal });
  if (response.statusCode !== 200) {
    const problem = JSON.parse(await response.body.text());
    throw Object.assign(new Error(problem.detail), problem);
  }
  const heard: Heard[] = [];
  let last = lastEventId;
  let comments = 0;
  const take = (block: string): void => {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      const at = line.indexOf(':');
      if (at === 0) comments += 1;
      else fields.set(line.slice(0, at), line.slice(at + 1).trimStart());
    }
    last = fields.get('id') ?? last;
    const data = fields.get('data');
    if (data === undefined) return;
    const event = fields.get('event') ?? 'message';
    heard.push({ id: Number(fields.get('id')), event, data: JSON.parse(data) });
  };
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of response.body.setEncoding('utf8')) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        take(text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
  };
  const ended = read().catch(() => undefined);
  return {
    heard,
    lastId: () => last,
    comments: () => comments,
    ended,
    close: () => abort.abort(),
  };
}

/** Listens, and comes back whenever the stream ends, until `stop`; as a browser does. */
export function keepListening(open: (lastEventId: string | undefined) => Promise<EventSource>) {
  const heard: Heard[] = [];
  let current: EventSource | undefined;
  let lastId: string | undefined;
  let connections = 0;
  let stopped = false;
  const loop = async (): Promise<void> => {
    while (!stopped) {
      try {
        current = await open(lastId);
        connections += 1;
        await current.ended;
        heard.push(...current.heard);
        lastId = current.lastId() ?? lastId;
      } catch {
        await pause(20); // It is not there now; it comes back.
      }
      current = undefined;
    }
  };
  const looping = loop();
  return {
    all: () => [...heard, ...(current?.heard ?? [])],
    connections: () => connections,
    isOpen: () => current !== undefined,
    drop: () => current?.close(),
    stop: async () => {
      stopped = true;
      current?.close();
      await looping;
      return heard;
    },
  };
}

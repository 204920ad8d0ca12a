// The one stream of this tab: opened with the session, closed with it. It keeps what pages have read
// (menu, orders, tickets) up to date.
//
// A tab that is hidden for a while lets its connection go, because a browser has only six to one
// host; it takes up again where it was, by the id of the last event.

import type { StreamEvent } from '@rushlight/contracts';
import { pathOf, publicApi } from '@rushlight/contracts';
import { queryClient } from '../api/api.ts';
import { endSession, type Session, session } from '../api/session.ts';
import { observable } from '../domain/observable.ts';
import { applyEvent, keepsStreamOpen, refreshAll } from './apply-event.ts';
import { openStream, type Stream, type StreamMessage, type StreamState } from './stream.ts';
import { browserWorld } from './world.ts';

export const streamState = observable<StreamState>({ kind: 'closed' });

const hiddenMsMax = 15_000;

let stream: Stream | undefined;
let resumeId: string | undefined;
let hiding: ReturnType<typeof setTimeout> | undefined;

/** Ties the stream to the session and to whether the tab is seen. Called once, at the start. */
export function startLive(): void {
  let token: string | undefined;
  const follow = () => {
    const now = session.get();
    if (now?.token === token) return;
    token = now?.token;
    close();
    resumeId = undefined;
    queryClient.clear();
    if (now) open(now);
  };
  session.subscribe(follow);
  document.addEventListener('visibilitychange', followVisibility);
  follow();
}

function open(user: Session): void {
  const url = pathOf(user.role === 'student' ? publicApi.myEvents : publicApi.allEvents);
  let before: StreamState['kind'] = 'closed';
  stream = openStream({
    url,
    token: user.token,
    world: browserWorld,
    lastEventId: resumeId,
    onMessage: tell,
    onState: (state) => {
      streamState.set(state);
      // What happened between reading a page and opening the stream is in neither.
      if (state.kind === 'live' && before !== 'live') refreshAll();
      if (state.kind === 'refused')
        endSession(user.token, 'Your session has ended. Please log in again.');
      before = state.kind;
    },
  });
}

function close(): void {
  resumeId = stream?.lastEventId() ?? resumeId;
  stream?.close();
  stream = undefined;
}

function tell({ kind, data }: StreamMessage): void {
  if (kind !== 'order' && kind !== 'menu' && kind !== 'reset') return;
  applyEvent({ kind, data } as StreamEvent);
}

function followVisibility(): void {
  clearTimeout(hiding);
  const user = session.get();
  if (!user) return;
  if (document.visibilityState === 'visible') {
    if (!stream) open(user);
    return;
  }
  hiding = setTimeout(function check() {
    if (keepsStreamOpen()) hiding = setTimeout(check, hiddenMsMax);
    else close();
  }, hiddenMsMax);
}

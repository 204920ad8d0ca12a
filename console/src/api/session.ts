// Who is logged in, in this tab. The token lives in sessionStorage: another tab can be another user,
// and closing the tab forgets it.

import type { Role } from '@rushlight/contracts';
import { observable } from '../domain/observable.ts';

export type Session = {
  readonly token: string;
  readonly role: Role;
  readonly studentId: string;
  readonly expiresAtMs: number;
};

const storageKey = 'rushlight.session';

export const session = observable<Session | undefined>(readSession());

/** Why the last session ended, to be said on the login page; undefined after a plain log-out. */
export const endedBecause = observable<string | undefined>(undefined);

/** Whether the last session was left by its user: then nobody is led back to where it was. */
let left = false;
export const wasLeft = (): boolean => left;

export function beginSession(begun: Session): void {
  sessionStorage.setItem(storageKey, JSON.stringify(begun));
  endedBecause.set(undefined);
  left = false;
  session.set(begun);
}

/** Ends the session of this token; a later one that has begun meanwhile is left alone. */
export function endSession(token: string, because?: string): void {
  if (session.get()?.token !== token) return;
  sessionStorage.removeItem(storageKey);
  endedBecause.set(because);
  left = because === undefined;
  session.set(undefined);
}

/** The page that a role starts on. */
export function homeOf(role: Role): '/menu' | '/kitchen' | '/admin' {
  switch (role) {
    case 'student':
      return '/menu';
    case 'kitchen':
      return '/kitchen';
    case 'admin':
      return '/admin';
  }
}

function readSession(): Session | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(storageKey) ?? 'null') as Session | null;
    return kept?.token && kept.expiresAtMs > Date.now() ? kept : undefined;
  } catch {
    return undefined;
  }
}

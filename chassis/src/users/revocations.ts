// Which tokens have been ended before their time.
//
// R1. A revocation that was heard is never forgotten before the tokens it ends have expired; what is
//     read anew from identity is added, so a hint that overtakes the reading is not lost.
// R2. `revision` grows with every new revocation, so that whoever remembers a verdict knows whether
//     it still holds without asking again.

import type { EventOf } from '@rushlight/contracts';

/**
 * Under which key, and for how long, one reading of all revocations is kept for all who check
 * tokens. Identity deletes it with each new one; what it could not delete is over in seconds.
 */
export const revocationsKept = {
  key: 'revocations:1',
  times: { claimMs: 2_000, keepMs: 10_000 },
} as const;

export type Revocation = EventOf<'token.revoked'>;
type Claims = { tokenId: string; studentId: string; issuedAtS: number };

export class Revocations {
  readonly #byToken = new Map<string, { expiresAtS: number }>();
  readonly #bySubject = new Map<string, { issuedBeforeS: number; expiresAtS: number }>();
  #revision = 0;

  get revision(): number {
    return this.#revision;
  }

  add(revocations: readonly Revocation[]): void {
    for (const { tokenId, subject, issuedBeforeS, expiresAtS } of revocations) {
      if (tokenId !== undefined && !this.#byToken.has(tokenId)) {
        this.#byToken.set(tokenId, { expiresAtS });
        this.#revision++;
      }
      if (subject === undefined || issuedBeforeS === undefined) continue;
      const known = this.#bySubject.get(subject);
      if (known && known.issuedBeforeS >= issuedBeforeS) continue;
      this.#bySubject.set(subject, { issuedBeforeS, expiresAtS });
      this.#revision++;
    }
  }

  isRevoked({ tokenId, studentId, issuedAtS }: Claims): boolean {
    if (this.#byToken.has(tokenId)) return true;
    const subject = this.#bySubject.get(studentId);
    return subject !== undefined && issuedAtS < subject.issuedBeforeS;
  }

  /** Forgets what ends only tokens that have expired. */
  forgetExpired(nowS: number): void {
    for (const map of [this.#byToken, this.#bySubject]) {
      for (const [name, { expiresAtS }] of map) if (expiresAtS < nowS) map.delete(name);
    }
  }

  get size(): number {
    return this.#byToken.size + this.#bySubject.size;
  }
}

// The public keys of user tokens, as identity publishes them.
//
// K1. Known keys stay good while identity is down.
// K2. A key that is not known is asked for, at most once a second whoever asks, so that forged key
//     names cannot press identity.

import {
  createLocalJWKSet,
  errors,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose';
import type { Environment } from '../environment.ts';
import { UnavailableError } from '../store/store.ts';

/** A JWKS, as RFC 7517 has it. */
export type PublicKeys = JSONWebKeySet;
type LocalKeys = ReturnType<typeof createLocalJWKSet>;

export type KeySource = {
  /**
   * The key that a token names.
   *
   * @throws JWKSNoMatchingKey when identity has no such key; UnavailableError when it cannot be asked
   */
  find(header: JWSHeaderParameters, token: FlattenedJWSInput): ReturnType<LocalKeys>;
  /** Reads all keys anew: those that identity has withdrawn are gone. */
  refresh(): Promise<void>;
};

const refetchMsMin = 1_000;

export function createKeySource(
  env: Pick<Environment, 'monotonicMs'>,
  fetchKeys: () => Promise<PublicKeys>,
): KeySource {
  let keys: LocalKeys | undefined;
  let lastTry: { atMs: number; failed: boolean } | undefined;
  let running: Promise<void> | undefined;

  const refresh = (): Promise<void> => {
    running ??= (async () => {
      const atMs = env.monotonicMs();
      lastTry = { atMs, failed: true };
      try {
        keys = createLocalJWKSet(await fetchKeys());
        lastTry = { atMs, failed: false };
      } finally {
        running = undefined;
      }
    })();
    return running;
  };

  const mayAsk = (): boolean =>
    running !== undefined ||
    lastTry === undefined ||
    env.monotonicMs() - lastTry.atMs >= refetchMsMin;

  const findNow = async (header: JWSHeaderParameters, token: FlattenedJWSInput) => {
    if (!keys) throw new UnavailableError('identity', 'No key of identity is known yet');
    return keys(header, token);
  };

  return {
    refresh,
    find: async (header, token) => {
      try {
        return await findNow(header, token);
      } catch (error) {
        const isUnknown = error instanceof errors.JWKSNoMatchingKey || !keys;
        if (!isUnknown) throw error;
        if (mayAsk()) await refresh();
        else if (lastTry?.failed) throw new UnavailableError('identity', 'Keys cannot be read now');
        else throw error;
        return await findNow(header, token);
      }
    },
  };
}

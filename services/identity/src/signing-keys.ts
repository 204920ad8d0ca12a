// The Ed25519 keys that sign user tokens. The newest signs; older ones are still published until
// every token they signed has expired. Keys of the time when the lab was on die with it.

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Environment, PostgresStore } from '@rushlight/chassis';

export type SigningKeys = {
  current(): { kid: string; key: KeyObject };
  /** Public keys only, newest first. */
  published(): Record<string, unknown>[];
  /** Makes a new key when the newest is too old, forgets those nobody needs; reads what others did. */
  rotate(): Promise<void>;
};

type StoredKey = { kid: string; private_jwk: { x: string; d: string }; created_ms: number };

const sql = {
  lock: { name: 'keys_lock', text: "SELECT pg_advisory_xact_lock(hashtext('signing_keys'))" },
  read: {
    name: 'keys_read',
    text: `SELECT kid, private_jwk, (extract(epoch FROM created_at) * 1000)::float8 AS created_ms
           FROM signing_keys WHERE lab = $1 ORDER BY created_at DESC, kid DESC`,
  },
  add: {
    name: 'keys_add',
    text: `INSERT INTO signing_keys (kid, private_jwk, lab, created_at)
           VALUES ($1, $2, $3, to_timestamp($4 / 1000.0))`,
  },
  forget: {
    name: 'keys_forget',
    text: `DELETE FROM signing_keys WHERE lab <> $1 OR created_at < to_timestamp($2 / 1000.0)`,
  },
};

/**
 * @param signsMs how long a key signs before the next one takes over
 * @param tokenLivesMs how long a token lives, and so its key after its last signature
 */
export async function openSigningKeys(
  store: PostgresStore,
  env: Environment,
  options: { lab: boolean; signsMs: number; tokenLivesMs: number },
): Promise<SigningKeys> {
  const { lab, signsMs, tokenLivesMs } = options;
  let keys: StoredKey[] = [];
  let signer: { kid: string; key: KeyObject } | undefined;

  const rotate = async (): Promise<void> => {
    keys = await store.transaction('rotateKeys', async (tx) => {
      const nowMs = env.nowMs();
      await tx.query(sql.lock);
      await tx.query(sql.forget, [lab, nowMs - signsMs - 2 * tokenLivesMs]);
      const [newest] = await tx.query<StoredKey>(sql.read, [lab]);
      if (!newest || nowMs - newest.created_ms >= signsMs) {
        const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
        await tx.query(sql.add, [env.newId(), JSON.stringify(jwk), lab, nowMs]);
      }
      return tx.query<StoredKey>(sql.read, [lab]);
    });
    const [newest] = keys;
    if (newest && newest.kid !== signer?.kid) {
      const jwk = { kty: 'OKP', crv: 'Ed25519', ...newest.private_jwk };
      signer = { kid: newest.kid, key: createPrivateKey({ format: 'jwk', key: jwk }) };
    }
  };
  await rotate();

  return {
    rotate,
    current: () => {
      if (!signer) throw new Error('there is no signing key: rotate() makes one');
      return signer;
    },
    published: () =>
      keys.map(({ kid, private_jwk: { x } }) => ({
        kty: 'OKP',
        crv: 'Ed25519',
        alg: 'EdDSA',
        use: 'sig',
        kid,
        x,
      })),
  };
}

// A key pair for each service, new at every start: nothing that leaks from one run opens the next.

import { generateKeyPairSync, type webcrypto } from 'node:crypto';

export type PublicJwk = webcrypto.JsonWebKey & { kid: string; alg: 'EdDSA' };

export type ServiceKeys = {
  /** The private key (Ed25519 JWK, as JSON) of each service, by name. */
  readonly privateKeys: ReadonlyMap<string, string>;
  readonly publicKeys: readonly PublicJwk[];
};

export function makeServiceKeys(names: readonly string[]): ServiceKeys {
  const privateKeys = new Map<string, string>();
  const publicKeys = names.map((kid): PublicJwk => {
    const pair = generateKeyPairSync('ed25519');
    const marks = { kid, alg: 'EdDSA' as const, use: 'sig' };
    privateKeys.set(
      kid,
      JSON.stringify({ ...pair.privateKey.export({ format: 'jwk' }), ...marks }),
    );
    return { ...pair.publicKey.export({ format: 'jwk' }), ...marks };
  });
  return { privateKeys, publicKeys };
}

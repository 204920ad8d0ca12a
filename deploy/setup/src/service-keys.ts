// A key pair for each service: with the private key it signs its own tokens, with the public ones it
// checks those of others.

import { generateKeyPairSync, type webcrypto } from 'node:crypto';

export type PublicJwk = webcrypto.JsonWebKey & { kid: string; alg: 'EdDSA' };

export type ServiceKeys = {
  /** The private key (Ed25519 JWK, as JSON) of each service, by name. */
  readonly privateKeys: ReadonlyMap<string, string>;
  readonly publicKeys: readonly PublicJwk[];
};

/** New keys for all of these: nothing that leaks from one run opens the next. */
export function makeServiceKeys(names: readonly string[]): ServiceKeys {
  const privateKeys = new Map(names.map((name) => [name, makePrivateKey(name)]));
  return { privateKeys, publicKeys: [...privateKeys.values()].map(publicKeyOf) };
}

export function makePrivateKey(kid: string): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid, alg: 'EdDSA', use: 'sig' });
}

export function publicKeyOf(privateKey: string): PublicJwk {
  const { d: _, ...open } = JSON.parse(privateKey) as PublicJwk;
  return open;
}

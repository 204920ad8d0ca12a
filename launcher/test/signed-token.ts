import { createPrivateKey, sign } from 'node:crypto';

/** A compact JWT, signed with this private JWK (as JSON), or with nothing. */
export function signedToken(
  key: string | undefined,
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'EdDSA', typ: 'service+jwt', ...header })}.${part(claims)}`;
  if (key === undefined) return `${text}.`;
  const signer = createPrivateKey({ key: JSON.parse(key), format: 'jwk' });
  return `${text}.${sign(null, Buffer.from(text), signer).toString('base64url')}`;
}

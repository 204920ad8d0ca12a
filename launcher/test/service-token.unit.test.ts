import { createPrivateKey, sign } from 'node:crypto';
import { makeServiceKeys } from '@rushlight/setup';
import { expect, test } from 'vitest';
import { tokenCheck } from '../src/control/service-token.ts';
import { signedToken } from './signed-token.ts';

const keys = makeServiceKeys(['gateway', 'orders']);
const [gatewayKey] = keys.publicKeys;
if (gatewayKey === undefined) throw new Error('no key was made');
const nowMs = 1_800_000_000_000;
const nowS = nowMs / 1000;
const isGateway = (token: string): boolean => tokenCheck('gateway', gatewayKey)(token, nowMs);
const keyOf = (name: string): string => keys.privateKeys.get(name) ?? '';
const good = { iss: 'gateway', sub: 'gateway', aud: 'rushlight-internal', exp: nowS + 60 };

test("the gateway's token is taken", () => {
  expect(isGateway(signedToken(keyOf('gateway'), good))).toBe(true);
});

test.each([
  ['of another service', signedToken(keyOf('orders'), { ...good, iss: 'orders', sub: 'orders' })],
  ["signed with another service's key", signedToken(keyOf('orders'), good)],
  ['with another issuer', signedToken(keyOf('gateway'), { ...good, iss: 'orders' })],
  ['for another subject', signedToken(keyOf('gateway'), { ...good, sub: 'admin' })],
  ['for another audience', signedToken(keyOf('gateway'), { ...good, aud: 'rushlight' })],
  ['without an audience', signedToken(keyOf('gateway'), { ...good, aud: undefined })],
  ['that has expired', signedToken(keyOf('gateway'), { ...good, exp: nowS - 60 })],
  ['without an end', signedToken(keyOf('gateway'), { ...good, exp: undefined })],
  ['of the future', signedToken(keyOf('gateway'), { ...good, nbf: nowS + 60 })],
  ['of another type', signedToken(keyOf('gateway'), good, { typ: 'JWT' })],
  ['with another algorithm', signedToken(keyOf('gateway'), good, { alg: 'HS256' })],
  ['with an extension', signedToken(keyOf('gateway'), good, { crit: ['b64'] })],
  ['that is not signed', signedToken(undefined, good, { alg: 'none' })],
  ['that is not a token', 'a.b.c'],
  ['that is empty', ''],
  ['that is huge', 'a'.repeat(100_000)],
])('a token %s is refused', (_, token) => {
  expect(isGateway(token)).toBe(false);
});

test('a token that was changed after signing is refused', () => {
  const [header, , signature] = signedToken(keyOf('gateway'), good).split('.');
  const payload = Buffer.from(JSON.stringify({ ...good, exp: nowS + 9_999 })).toString('base64url');
  expect(isGateway(`${header}.${payload}.${signature}`)).toBe(false);
});

test('every start has keys of its own', () => {
  const text = Buffer.from('x');
  const key = (json: string) => createPrivateKey({ key: JSON.parse(json), format: 'jwk' });
  const again = makeServiceKeys(['gateway']).privateKeys.get('gateway') ?? '';
  expect(sign(null, text, key(again))).not.toEqual(sign(null, text, key(keyOf('gateway'))));
});

// Which addresses may be scraped. Who registers a target must not reach into the network by it: the
// machine itself and public addresses only, others when the operator says so.

import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Addresses that are not routed in public (IANA special-purpose registries), loopback aside. */
const special = new BlockList();
for (const [address, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  special.addSubnet(address, prefix, 'ipv4');
}
for (const [address, prefix] of [
  ['::', 128],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  special.addSubnet(address, prefix, 'ipv6');
}

export class AddressError extends Error {
  override readonly name = 'AddressError';
}

/** Whether it is neither public nor of this machine. IPv4 within IPv6 is what it stands for. */
export function isPrivateAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 0) return true;
  return special.check(address, version === 4 ? 'ipv4' : 'ipv6');
}

/**
 * An http(s) URL without credentials, whose address, if it is a plain one, may be scraped.
 *
 * @throws AddressError with the rule that it breaks
 */
export function checkTargetUrl(text: string, allowPrivate: boolean): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new AddressError(`"${text}" is no http or https URL.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new AddressError('A URL with a user or password is not taken; they would be shown.');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) checkAddress(host, allowPrivate);
  return url;
}

/** Looks a name up and refuses it when it stands for a private address: at the time of connecting. */
export function guardedLookup(allowPrivate: boolean): LookupFunction {
  return (name, options, done) => {
    lookup(name, { ...options, all: true }, (error, found) => {
      if (error) {
        done(error, []);
        return;
      }
      try {
        for (const { address } of found) checkAddress(address, allowPrivate);
      } catch (refused) {
        done(refused as Error, []);
        return;
      }
      const [first] = found;
      if (options.all || first === undefined) done(null, found);
      else done(null, first.address, first.family);
    });
  };
}

function checkAddress(address: string, allowPrivate: boolean): void {
  if (allowPrivate || !isPrivateAddress(address)) return;
  throw new AddressError(
    `${address} is a private address, which is scraped only where private targets are allowed.`,
  );
}

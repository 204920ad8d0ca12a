// What an error of Postgres, or of the way to it, means for the one who asked.

import { UnavailableError } from './store.ts';

/**
 * `unavailable`: the database cannot be reached, or did not answer in time: try later.
 * `conflict`: two transactions met and this one was rolled back: run it again.
 * `other`: our mistake, or a rule of the schema; trying again changes nothing.
 */
export type Failure = 'unavailable' | 'conflict' | 'other';

const unavailableClasses = ['08', '53', '57P', '58'];
const unavailableCodes = new Set([
  '25006', // A replica that became read-only in a fail-over.
  '25P03', // We sat idle in a transaction for too long, and the server ended it.
  '55P03', // Lock time-out.
  '57014', // Statement time-out.
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT', // The socket file of a server that is not there.
]);

/** The driver's own errors have no code, only these sentences. */
const unavailableSentences =
  /^(Query read timeout|timeout e|Connection terminated|Client (was closed|has encountered))/;

/** Says what an error means; see Failure. */
export function failureOf(error: unknown): Failure {
  if (error instanceof UnavailableError) return 'unavailable';
  if (!(error instanceof Error)) return 'other';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === '40001' || code === '40P01') return 'conflict';
  if (unavailableCodes.has(code)) return 'unavailable';
  if (code !== '') {
    return unavailableClasses.some((start) => code.startsWith(start)) ? 'unavailable' : 'other';
  }
  return unavailableSentences.test(error.message) ? 'unavailable' : 'other';
}

const untrustedCodes = /^(SELF_SIGNED_CERT|DEPTH_ZERO|UNABLE_TO_|CERT_|ERR_TLS_CERT_)/;

/** Turns the errors that mean "not reachable now" into an UnavailableError, and no others. */
export function asUnavailable(part: string, error: unknown): unknown {
  if (error instanceof UnavailableError) return error;
  if (isUntrusted(error)) {
    const say = `the certificate of its server is not trusted (${error.message}).`;
    const check = 'Check sslmode, sslrootcert and the host name in its URL.';
    return new Error(`${part}: ${say} ${check}`, { cause: error });
  }
  if (failureOf(error) !== 'unavailable') return error;
  const why = error instanceof Error ? error.message || error.name : String(error);
  return new UnavailableError(part, `${part} is not available: ${why}`, { cause: error });
}

function isUntrusted(error: unknown): error is Error {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return untrustedCodes.test(String(error.code));
}

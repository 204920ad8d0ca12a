// What the URL of a database says beyond where it is.
//
// U1. `sslmode` means what it means to libpq and its tools: `require` encrypts and trusts whoever
//     answers, `verify-full` with `sslrootcert=FILE` trusts one signer and looks at the host name.
// U2. `pgbouncer=true`: behind it is a pooler in transaction mode, which lends another session to
//     each transaction. So nothing is left in a session: no prepared statements, no settings, no
//     locks, no LISTEN; and none of our settings are sent with the start of a connection.

export type DatabaseUrl = {
  /** For the driver. */
  connectionString: string;
  /** U2 */
  isPooled: boolean;
};

/** @throws Error for a setting that means nothing */
export function readDatabaseUrl(text: string): DatabaseUrl {
  const url = new URL(text);
  const { searchParams } = url;
  const pooled = searchParams.get('pgbouncer') ?? 'false';
  if (pooled !== 'true' && pooled !== 'false') {
    throw new Error(`pgbouncer=${pooled} in the URL of a database: it is true or false`);
  }
  searchParams.delete('pgbouncer');
  if (searchParams.has('sslmode') && !searchParams.has('uselibpqcompat')) {
    searchParams.set('uselibpqcompat', 'true');
  }
  return { connectionString: url.href, isPooled: pooled === 'true' };
}

// A Postgres that speaks TLS with a certificate that a test made.

import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asAdmin } from '@rushlight/chassis/testing';
import { certifyLocalhost } from './certificates.ts';

const nobody = 65_534;

/** Lets a running server of ours speak TLS, as `localhost` and under no other name. */
export async function trustedPostgres(adminUrl: string) {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-test-tls-'));
  const { authority, key, certificate } = await certifyLocalhost(folder);
  if (process.getuid?.() === 0) {
    for (const path of [folder, key, certificate]) chownSync(path, nobody, nobody);
  }
  await asAdmin(adminUrl, [
    `ALTER SYSTEM SET ssl_cert_file = '${certificate}'`,
    `ALTER SYSTEM SET ssl_key_file = '${key}'`,
    'ALTER SYSTEM SET ssl = on',
    'SELECT pg_reload_conf()',
  ]);
  return {
    folder,
    authority,
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

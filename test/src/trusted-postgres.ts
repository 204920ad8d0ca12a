// Certificates that a test makes for itself, and a Postgres that shows one of them.

import { execFile } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const nobody = 65_534;

const openssl = (folder: string, ...options: string[]) => run('openssl', options, { cwd: folder });

/** Makes one who signs certificates. @returns the file of its own certificate */
export async function makeAuthority(folder: string, name: string): Promise<string> {
  const subject = ['-subj', `/CN=${name}`, '-days', '2'];
  const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
  await openssl(folder, 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files);
  return join(folder, `${name}.crt`);
}

/** Lets a running server of ours speak TLS with a certificate for `localhost`, and for no other name. */
export async function trustedPostgres(
  adminUrl: string,
  asAdmin: (url: string, statements: readonly string[]) => Promise<void>,
) {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-test-tls-'));
  const authorityFile = await makeAuthority(folder, 'authority');
  const request = ['-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr'];
  await openssl(folder, 'req', '-new', '-newkey', 'rsa:2048', '-nodes', ...request);
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost\n');
  const signer = ['-CA', 'authority.crt', '-CAkey', 'authority.key', '-CAcreateserial'];
  const made = ['-in', 'server.csr', '-out', 'server.crt', '-days', '2', '-extfile', 'names'];
  await openssl(folder, 'x509', '-req', ...signer, ...made);
  if (process.getuid?.() === 0) {
    for (const name of ['', 'server.key', 'server.crt']) {
      chownSync(join(folder, name), nobody, nobody);
    }
  }
  await asAdmin(adminUrl, [
    `ALTER SYSTEM SET ssl_cert_file = '${join(folder, 'server.crt')}'`,
    `ALTER SYSTEM SET ssl_key_file = '${join(folder, 'server.key')}'`,
    'ALTER SYSTEM SET ssl = on',
    'SELECT pg_reload_conf()',
  ]);
  return {
    folder,
    authorityFile,
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

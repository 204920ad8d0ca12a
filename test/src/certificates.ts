// Certificates that a test makes for itself.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const openssl = (folder: string, ...options: string[]) => run('openssl', options, { cwd: folder });

/** Makes one who signs certificates. @returns the file of its own certificate */
export async function makeAuthority(folder: string, name: string): Promise<string> {
  const subject = ['-subj', `/CN=${name}`, '-days', '2'];
  const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`];
  await openssl(folder, 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files);
  return join(folder, `${name}.crt`);
}

/** A certificate for `localhost`, and for no other name, with who signed it. */
export async function certifyLocalhost(folder: string) {
  const authority = await makeAuthority(folder, 'authority');
  const request = ['-subj', '/CN=localhost', '-keyout', 'server.key', '-out', 'server.csr'];
  await openssl(folder, 'req', '-new', '-newkey', 'rsa:2048', '-nodes', ...request);
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost\n');
  const signer = ['-CA', 'authority.crt', '-CAkey', 'authority.key', '-CAcreateserial'];
  const made = ['-in', 'server.csr', '-out', 'server.crt', '-days', '2', '-extfile', 'names'];
  await openssl(folder, 'x509', '-req', ...signer, ...made);
  return { authority, key: join(folder, 'server.key'), certificate: join(folder, 'server.crt') };
}

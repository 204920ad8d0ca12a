// The recorder: writes down what comes in through the pipe, and outlives the process that sends it.
// Its standard output is the file. It ends, with all of it on disk, when the pipe does.

import { fsyncSync, writeSync } from 'node:fs';

const outFd = 1;

// The sender's end is the only thing that ends a record.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

for await (const chunk of process.stdin) {
  const bytes: Buffer = chunk;
  for (let sent = 0; sent < bytes.length; ) sent += writeSync(outFd, bytes, sent);
}
fsyncSync(outFd);

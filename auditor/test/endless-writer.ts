// Writes invocations for ever, and says after each that it would now be sent. Killed by a test.

import { writeSync } from 'node:fs';
import { startRecorder } from '../src/index.ts';

const recorder = startRecorder({ file: process.argv[2] ?? '' });

function writeSome(call: number): void {
  recorder.write({ type: 'invoke', op: 'stock', t: call, proc: 'ada', call });
  writeSync(1, `${call}\n`);
  recorder.write({ type: 'ok', op: 'stock', items: [], t: call, proc: 'ada', call });
  setImmediate(writeSome, call + 1);
}
writeSome(0);

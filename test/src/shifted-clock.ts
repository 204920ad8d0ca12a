// Loaded into a service before anything else: its wall clock is off by what a file says, and jumps
// when the file changes. The monotonic clock goes on as it was.

import { readFileSync } from 'node:fs';

const lookEveryMs = 20;
const path = process.env['SHIFTED_CLOCK_FILE'] ?? '';
const trueNow = Date.now;
let shiftMs = 0;

function look(): void {
  try {
    shiftMs = Number(readFileSync(path, 'utf8'));
  } catch {
    shiftMs = 0; // Nobody has shifted it yet.
  }
}

look();
setInterval(look, lookEveryMs).unref();
Date.now = () => trueNow() + shiftMs;

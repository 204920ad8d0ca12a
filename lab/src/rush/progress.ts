// A bar that moves where somebody looks, and a line now and then where nobody does.

import type { Progress } from './crowd-messages.ts';
import type { Paint } from './report.ts';
import type { Watcher } from './run-rush.ts';

export type Screen = {
  write(text: string): void;
  isTerminal: boolean;
  columns: number;
};

const lineEveryMs = 10_000;
const barWidth = 24;

export function createWatcher(screen: Screen, seconds: number, paint: Paint): Watcher {
  let isBarShown = false;
  let nextLineMs = lineEveryMs;
  const wipe = (): void => {
    if (isBarShown) screen.write('\r\u001b[2K');
    isBarShown = false;
  };
  return {
    say: (line) => {
      wipe();
      screen.write(`${paint.faint(line)}\n`);
    },
    progress: (progress) => {
      const text = textOf(progress, seconds);
      if (screen.isTerminal) {
        wipe();
        screen.write(text.slice(0, screen.columns - 1));
        isBarShown = true;
      } else if (progress.passedMs >= nextLineMs) {
        screen.write(`${text}\n`);
        nextLineMs += lineEveryMs;
      }
    },
  };
}

function textOf(
  { passedMs, begun, accepted, soldOut, waiting }: Progress,
  seconds: number,
): string {
  const passedS = Math.floor(passedMs / 1_000);
  const filled = Math.round(Math.min(1, passedMs / 1_000 / seconds) * barWidth);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}`;
  const counts = `${begun} came, ${accepted} accepted, ${soldOut} sold out, ${waiting} wait`;
  return `${bar} ${passedS}/${seconds} s  ${counts}`;
}

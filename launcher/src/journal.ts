// What became of the parts, as lines of a log like theirs: what a process cannot tell of its own death.

import type { RotatedLog } from './logs.ts';
import type { PartEvent } from './part.ts';

/** Writes down what people have to know; that a part works for the first time is no news. */
export function keepJournal(log: RotatedLog, part: string, event: PartEvent): void {
  const news = newsOf(part, event);
  if (news === undefined) return;
  const line = { level: news.level, time: new Date().toISOString(), service: 'launcher', part };
  log.write([JSON.stringify({ ...line, msg: news.msg })]);
}

function newsOf(part: string, event: PartEvent): { level: string; msg: string } | undefined {
  switch (event.type) {
    case 'started':
    case 'ended':
      return undefined;
    case 'ready': {
      if (event.first) return undefined;
      return { level: 'info', msg: `${part} is back after ${(event.downMs / 1_000).toFixed(1)} s` };
    }
    case 'died':
      return { level: 'warn', msg: `${part} died (${event.how})` };
    case 'failed':
      return { level: 'error', msg: `${part} does not start (${event.how})` };
  }
}

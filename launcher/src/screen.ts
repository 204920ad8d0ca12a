// What a person sees: plain lines, one table, and colour only where it is wanted.

import type { PartEvent } from './part.ts';

export type Paint = {
  good(text: string): string;
  bad(text: string): string;
  faint(text: string): string;
};

/** Colours, unless NO_COLOR is set or nobody looks. */
export function paintFor(isTerminal: boolean, noColor: string | undefined): Paint {
  const on = isTerminal && (noColor === undefined || noColor === '');
  const code = (number: number) => (text: string) =>
    on ? `\u001b[${number}m${text}\u001b[0m` : text;
  return { good: code(32), bad: code(31), faint: code(2) };
}

export type Row = { part: string; url: string; state: string };

/** The table, aligned. */
export function table(rows: readonly Row[], paint: Paint): string {
  const width = (read: (row: Row) => string): number =>
    Math.max(...rows.map((row) => read(row).length)) + 3;
  const [partWidth, urlWidth] = [width((row) => row.part), width((row) => row.url)];
  const line = ({ part, url, state }: Row, dress: (text: string) => string): string =>
    `${part.padEnd(partWidth)}${url.padEnd(urlWidth)}${dress(state)}`;
  const head = paint.faint(line({ part: 'part', url: 'URL', state: 'state' }, (text) => text));
  const dressOf = ({ state }: Row) =>
    state === 'up' ? paint.good : state === 'starting' ? paint.faint : paint.bad;
  return [head, ...rows.map((row) => line(row, dressOf(row)))].join('\n');
}

export const demoLogins: readonly Row[] = [
  { part: 'student', url: 'student1 / password123', state: 'also student2 to student50' },
  { part: 'kitchen', url: 'kitchen / kitchenpassword', state: '' },
  { part: 'admin', url: 'admin / adminpassword', state: '' },
];

/** The logins of the lab, one a line. */
export function logins(paint: Paint): string {
  const lines = demoLogins.map(({ part, url, state }) =>
    `  ${part.padEnd(10)}${url.padEnd(29)}${paint.faint(state)}`.trimEnd(),
  );
  return ['logins', ...lines].join('\n');
}

/** What happened to a part while people look, as a line; undefined for what nobody needs to be told. */
export function lineFor(name: string, event: PartEvent, paint: Paint): string | undefined {
  switch (event.type) {
    case 'started':
    case 'ended':
      return undefined;
    case 'ready':
      if (event.first) return paint.good(`${name} is up`);
      return paint.good(`${name} is back after ${(event.downMs / 1000).toFixed(1)} s`);
    case 'died':
      if (!event.wasReady) return undefined;
      return paint.bad(`${name} died (${event.how}), starting again`);
    case 'failed':
      return paint.bad(`${name} dies again and again before it is ready (${event.how})`);
  }
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const clockSeconds = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** The time of day, here: "17:42". */
export function timeOfDay(iso: string): string {
  return clock.format(new Date(iso));
}

export function timeOfDaySeconds(iso: string): string {
  return clockSeconds.format(new Date(iso));
}

/** "17:42" today, "3 Mar, 17:42" on any other day. */
export function dayAndTime(iso: string, nowMs: number): string {
  const then = new Date(iso);
  const same = then.toDateString() === new Date(nowMs).toDateString();
  return same ? clock.format(then) : `${day.format(then)}, ${clock.format(then)}`;
}

/** How long, in at most two parts: "4 s", "3 min", "2 h 5 min", "3 d". */
export function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return `${min} min`;
  const h = Math.floor(min / 60);
  if (h < 24) return min % 60 === 0 ? `${h} h` : `${h} h ${min % 60} min`;
  return `${Math.floor(h / 24)} d`;
}

/** A wait that runs down, as a sentence part: "about 5 s", "any moment". */
export function countdown(toIso: string, nowMs: number): string {
  const leftMs = Date.parse(toIso) - nowMs;
  return leftMs <= 1_000 ? 'any moment now' : `in about ${span(leftMs)}`;
}

// Who cooks next, and when it will be ready: pure.
//
// S1. Strictly in the order of arrival: nobody starts while an older one waits.
// S2. One ticket at a station. A ticket that takes no time passes through a free station and leaves
//     it free, so a kitchen without cooking time serves whole batches at once.

export type Waiting = { orderId: string; cookMs: number };
export type Start = { orderId: string; station: number; readyAtMs: number; readyAtOnce: boolean };

/**
 * The tickets that start now.
 *
 * @param waiting in the order of arrival
 * @param busy the stations at which something cooks, of 1 to `stations`
 * @param auto whether the kitchen itself says when a meal is ready; if not, a person will, and
 *   until then the station is taken
 */
export function planStarts(options: {
  waiting: readonly Waiting[];
  busy: readonly number[];
  stations: number;
  auto: boolean;
  nowMs: number;
}): Start[] {
  const { waiting, stations, auto, nowMs } = options;
  const busy = new Set(options.busy);
  // Stations beyond `stations` may be busy still, from before there were fewer.
  const freeMax = Math.max(0, stations - busy.size);
  const free = Array.from({ length: stations }, (_, index) => index + 1)
    .filter((station) => !busy.has(station))
    .slice(0, freeMax);
  const starts: Start[] = [];
  let next = 0;
  for (const { orderId, cookMs } of waiting) {
    const station = free[next];
    if (station === undefined) break;
    const readyAtOnce = auto && cookMs === 0;
    starts.push({ orderId, station, readyAtMs: nowMs + cookMs, readyAtOnce });
    if (!readyAtOnce) next += 1;
  }
  return starts;
}

/**
 * When a waiting ticket will be ready, if every meal before it takes the mean time.
 *
 * @param position 1 for the next to start
 * @param cookingUntilMs when each meal that cooks now will be ready
 */
export function estimateReadyAtMs(options: {
  position: number;
  cookMs: number;
  meanCookMs: number;
  stations: number;
  cookingUntilMs: readonly number[];
  nowMs: number;
}): number {
  const { position, cookMs, meanCookMs, stations, nowMs } = options;
  const freeAtMs = options.cookingUntilMs.map((untilMs) => Math.max(untilMs, nowMs));
  while (freeAtMs.length < stations) freeAtMs.push(nowMs);
  freeAtMs.sort((a, b) => a - b);
  const before = position - 1;
  const rounds = Math.floor(before / stations);
  const startMs = (freeAtMs[before % stations] ?? nowMs) + rounds * meanCookMs;
  return Math.round(startMs + cookMs);
}

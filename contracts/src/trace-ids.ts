// Which trace an order belongs to.
//
// I1. The trace id follows from the order id, and the end of both says whether the trace is kept.
// I2. The time in an order id is that of whoever accepted the order; all else is as the trace has it.

/** How an id ends whose trace is kept for its own sake; that of another does not. */
const keptEnding = '00';
const otherEnding = '01';
const timeDigits = 12;

/**
 * The trace of an order: its id without dashes, with zeros where the id has the time. So whoever knows
 * an order knows its trace.
 *
 * @param orderId a UUID, version 7
 * @returns 32 hex digits
 */
export function traceIdOfOrder(orderId: string): string {
  return '0'.repeat(timeDigits) + orderId.replaceAll('-', '').slice(timeDigits);
}

/** The id of a trace that begins, which says whether it is kept. @param id a fresh UUID, version 7 */
export function newTraceId(id: string, kept: boolean): string {
  const traceId = traceIdOfOrder(id);
  if (isTraceKept(traceId) === kept) return traceId;
  return traceId.slice(0, -keptEnding.length) + (kept ? keptEnding : otherEnding);
}

/** The id of an order that belongs to a trace. @param id a fresh UUID, version 7: its time is taken */
export function orderIdOfTrace(traceId: string, id: string): string {
  const parts = [id.slice(0, 13), traceId.slice(12, 16), traceId.slice(16, 20), traceId.slice(20)];
  return parts.join('-');
}

/** Whether the trace with this id, or of the order with this id, is kept for its own sake. */
export function isTraceKept(id: string): boolean {
  return id.endsWith(keptEnding);
}

// A deadline is set once, at the door, and travels with the work: every hop takes along what is left.
// Between processes it travels as milliseconds left, because their clocks need not agree.

export const deadlineHeaderName = 'rushlight-deadline-ms';

/** Milliseconds, or undefined for anything but one whole number of at most nine digits. */
export function parseDeadlineMs(
  header: string | readonly string[] | undefined,
): number | undefined {
  return typeof header === 'string' && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}

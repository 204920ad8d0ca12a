// Finds where one HTTP answer ends. Only answers with a Content-Length are understood, which is all
// that these servers send to an order.

export type Answer = { status: number; bytes: number };

const headEnd = '\r\n\r\n';
const lengthHeader = /\r\ncontent-length: *(\d+)/i;

/** The answer at the start of `text` (latin1), or undefined while it is not whole. */
export function wholeAnswer(text: string): Answer | undefined {
  const end = text.indexOf(headEnd);
  if (end < 0) return undefined;
  const length = lengthHeader.exec(text.slice(0, end))?.[1];
  if (length === undefined) throw new Error(`No Content-Length in: ${text.slice(0, end)}`);
  const bytes = end + headEnd.length + Number(length);
  if (text.length < bytes) return undefined;
  return { status: Number(text.slice(9, 12)), bytes };
}

// What a sender of OTLP is told, in the encoding that it speaks.

import { bytesField, varintField } from './wire.ts';

export type Encoding = 'protobuf' | 'json';

export const mediaTypes = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
} as const satisfies Record<Encoding, string>;

/** The name of the count of refused records in JSON; it is field 1 in each of the three messages. */
export type RejectedName = 'rejectedSpans' | 'rejectedDataPoints' | 'rejectedLogRecords';

/** ExportTraceServiceResponse and its two sisters. Nothing is said when all was taken in. */
export function exportAnswer(
  encoding: Encoding,
  name: RejectedName,
  rejected: { count: number; message: string },
): Buffer {
  if (encoding === 'json') {
    if (rejected.count === 0) return Buffer.from('{}');
    const partialSuccess = { [name]: String(rejected.count), errorMessage: rejected.message };
    return Buffer.from(JSON.stringify({ partialSuccess }));
  }
  if (rejected.count === 0) return Buffer.alloc(0);
  return bytesField(
    1,
    Buffer.concat([varintField(1, rejected.count), bytesField(2, Buffer.from(rejected.message))]),
  );
}

/** google.rpc.Status. @param code of google.rpc.Code */
export function statusAnswer(encoding: Encoding, code: number, message: string): Buffer {
  if (encoding === 'json') return Buffer.from(JSON.stringify({ code, message }));
  return Buffer.concat([varintField(1, code), bytesField(2, Buffer.from(message))]);
}

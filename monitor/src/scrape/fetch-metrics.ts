// One look at `/metrics`.

import { Agent, request } from 'undici';
import { guardedLookup } from './addresses.ts';
import { type ExposedSample, parseExposition } from './exposition.ts';

/** @throws Error with the reason, in one sentence */
export type FetchMetrics = (
  url: string,
  options: { signal: AbortSignal; bodyBytesMax: number },
) => Promise<ExposedSample[]>;

const accept =
  'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

export function createFetcher(allowPrivateAddresses: boolean): FetchMetrics & AsyncDisposable {
  const agent = new Agent({
    connect: { lookup: guardedLookup(allowPrivateAddresses), timeout: 5_000 },
    connections: 2,
    keepAliveTimeout: 60_000,
    pipelining: 1,
  });
  const fetchMetrics: FetchMetrics = async (url, { signal, bodyBytesMax }) => {
    const answer = await request(url, { dispatcher: agent, signal, headers: { accept } });
    const chunks: Buffer[] = [];
    let bytes = 0;
    // Also of an answer that is refused: the connection is used again.
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bodyBytesMax) throw new Error(`Its answer has more than ${bodyBytesMax} bytes.`);
      chunks.push(chunk);
    }
    if (answer.statusCode !== 200) {
      throw new Error(`It answered ${answer.statusCode} instead of 200.`);
    }
    const type = String(answer.headers['content-type'] ?? '');
    const format = type.startsWith('application/openmetrics-text') ? 'openmetrics' : 'prometheus';
    return parseExposition(Buffer.concat(chunks).toString('utf8'), format);
  };
  return Object.assign(fetchMetrics, { [Symbol.asyncDispose]: () => agent.destroy() });
}

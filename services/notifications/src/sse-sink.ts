import type { ServerResponse } from 'node:http';
import type { Sink } from './streams.ts';

/** A response of `node:http`, as a stream writes to it. */
export function sinkOf(raw: ServerResponse): Sink {
  return {
    write: (text) => void raw.write(text),
    waitingBytes: () => raw.writableLength,
    drained: () => {
      if (!raw.writableNeedDrain || raw.destroyed) return Promise.resolve();
      return new Promise((resolve) => {
        const done = (): void => {
          raw.off('drain', done);
          raw.off('close', done);
          resolve();
        };
        raw.on('drain', done);
        raw.on('close', done);
      });
    },
    end: () => void raw.end(),
    cut: () => void raw.destroy(),
  };
}

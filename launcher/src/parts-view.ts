// What the health grid shows of every process. Counting memory costs a walk through /proc, so one
// answer serves everybody who asks within a second.

import { engineNames } from '@rushlight/contracts';
import type { Part } from './part.ts';
import type { PartView } from './platform-types.ts';
import { childrenOf, memoryMbOf } from './processes.ts';

const memoryKeptMs = 1_000;

export class PartsView {
  readonly #parts: ReadonlyMap<string, Part>;
  readonly #memory = new Map<string, { mb: number | null; pid: number; atMs: number }>();

  constructor(parts: ReadonlyMap<string, Part>) {
    this.#parts = parts;
  }

  read(): PartView[] {
    return [...this.#parts.values()].map((part) => ({
      ...part.view(),
      memoryMb: this.#memoryMb(part),
    }));
  }

  #memoryMb(part: Part): number | null {
    const { name, pid } = part;
    if (pid === null) return null;
    const known = this.#memory.get(name);
    const nowMs = performance.now();
    if (known?.pid === pid && nowMs - known.atMs < memoryKeptMs) return known.mb;
    // The processes of an engine are its children; a service is one process.
    const isEngine = (engineNames as readonly string[]).includes(name);
    const mb = memoryMbOf(isEngine ? [pid, ...childrenOf(pid)] : [pid]);
    this.#memory.set(name, { mb, pid, atMs: nowMs });
    return mb;
  }
}

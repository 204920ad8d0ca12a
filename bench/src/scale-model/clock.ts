// Virtual time: what is due next happens next, and of two that are due at once, the one asked for first.

type Due = { atUs: number; nth: number; run: () => void };

export class Clock {
  readonly #heap: Due[] = [];
  #nowUs = 0;
  #asked = 0;

  get nowUs(): number {
    return this.#nowUs;
  }

  after(us: number, run: () => void): void {
    const due = { atUs: this.#nowUs + us, nth: this.#asked++, run };
    const heap = this.#heap;
    heap.push(due);
    let at = heap.length - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (isBefore(heap[up], due)) break;
      heap[at] = heap[up] as Due;
      at = up;
    }
    heap[at] = due;
  }

  /** Lets everything happen that is due until then. */
  runUntil(us: number): void {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atUs > us) break;
      this.#pop();
      this.#nowUs = next.atUs;
      next.run();
    }
    this.#nowUs = us;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child] as Due)) child++;
      if (isBefore(last, heap[child] as Due)) break;
      heap[at] = heap[child] as Due;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(due: Due | undefined, other: Due): boolean {
  if (due === undefined) return false;
  return due.atUs < other.atUs || (due.atUs === other.atUs && due.nth < other.nth);
}

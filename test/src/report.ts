/** A figure or a seed that whoever reads the test's output wants to see. */
export function report(line: string): void {
  process.stdout.write(`  · ${line}\n`);
}

/** A seed for this run, printed, so that a failure can be repeated. */
export function newSeed(what: string): number {
  const seed = Math.floor(Math.random() * 0x7fffffff);
  report(`seed of ${what}: ${seed}`);
  return seed;
}

/** The value below which this share of the sorted values lies. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
  return sorted[at] ?? Number.NaN;
}

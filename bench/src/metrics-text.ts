// The Prometheus text exposition, as far as our services write it.

export type Sample = { name: string; labels: Record<string, string>; value: number };

export function parseMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const found = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line);
    if (found === null) return [];
    const [, name = '', labelText = '', value = ''] = found;
    const labels = Object.fromEntries(
      [...labelText.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', given = '']) => [
        label,
        given,
      ]),
    );
    return [{ name, labels, value: Number(value) }];
  });
}

/** How much each series has grown; series that did not grow are left out. */
export function growth(before: readonly Sample[], after: readonly Sample[]): Sample[] {
  const earlier = new Map(before.map((sample) => [seriesOf(sample), sample.value]));
  return after
    .map((sample) => ({ ...sample, value: sample.value - (earlier.get(seriesOf(sample)) ?? 0) }))
    .filter(({ value }) => value > 0);
}

/** The samples of several processes of a service as those of one. */
export function addUp(processes: readonly (readonly Sample[])[]): Sample[] {
  const sums = new Map<string, Sample>();
  for (const { name, labels, value } of processes.flat()) {
    const { instance: _, ...shared } = labels;
    const sample = { name, labels: shared, value };
    const known = sums.get(seriesOf(sample));
    if (known === undefined) sums.set(seriesOf(sample), sample);
    else known.value += value;
  }
  return [...sums.values()];
}

function seriesOf({ name, labels }: Sample): string {
  return JSON.stringify([name, Object.entries(labels).sort()]);
}

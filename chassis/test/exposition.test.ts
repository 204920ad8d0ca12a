// What each service really exposes, before anything happened and after everything odd did. All its
// neighbours are dead, so that whatever it says is its own.

import { type ProcessName, processes, processNames } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { differences, provoke, readMetrics, startService } from '../src/testing/index.ts';

/** Neighbours of a service that is alone: a port where nobody listens. */
function deadNeighbours(name: ProcessName) {
  return Object.fromEntries(processes[name].calls.map((called) => [called, 'http://127.0.0.1:9']));
}

test.each(processNames)(
  '%s exposes what the table says of it, and no word of its clients',
  { timeout: 90_000 },
  async (name) => {
    await using service = await startService(name, {
      serviceUrls: deadNeighbours(name),
      ...(name === 'monitor' ? { busUrl: '', env: { RUSHLIGHT_MONITOR_OTLP_PORT: '0' } } : {}),
    });
    const fresh = await readMetrics(service.url);
    expect(differences(name, fresh)).toEqual([]);
    const breakers = fresh.series.filter((one) => one.name === 'breaker_state');
    const targets = breakers.map(({ labels }) => labels['target'] ?? '');
    expect(targets.sort()).toEqual(processes[name].calls.toSorted());
    const word = await provoke(service);
    const later = await readMetrics(service.url);
    expect(differences(name, later)).toEqual([]);
    expect(later.text).not.toContain(word);
    const requests = later.series.filter((one) => one.name === 'http_requests_total');
    expect(requests.length, 'routes that were asked').toBeGreaterThan(3);
  },
);

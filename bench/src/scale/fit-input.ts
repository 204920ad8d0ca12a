// What measured loads of one of each say, as the model takes it.

import { type CostPoints, type Point, type StoreName, storeNames } from '../scale-model/costs.ts';
import type { ScaleRun } from './run.ts';

type RoleOf = (name: StoreName) => string[];

const processOf: RoleOf = (name) => [name];
/** The card provider's books are written by payments. */
const databaseOf: RoleOf = (name) => [
  `postgres ${name}`,
  ...(name === 'payments' ? ['postgres provider'] : []),
];

/** @param commitMs one row a transaction, over one connection */
export function costsInput(runs: readonly ScaleRun[], commitMs: number): CostPoints {
  const known = new Set<string>();
  const points = (roles: readonly string[], batchesOf: (run: ScaleRun) => number): Point[] => {
    for (const role of roles) known.add(role);
    return runs.map((run) => ({
      us: roles.reduce((sum, role) => sum + (run.cpuUs[role] ?? 0), 0),
      batchSize: run.orders / Math.max(1, batchesOf(run)),
    }));
  };
  const each = (roleOf: RoleOf): Record<StoreName, Point[]> =>
    Object.fromEntries(
      storeNames.map((name) => [
        name,
        points(roleOf(name), ({ operations }) => operations[name] ?? 0),
      ]),
    ) as Record<StoreName, Point[]>;
  const ofParts = {
    client: points(['load generator'], ({ orders }) => orders),
    gateway: points(['gateway'], ({ batches }) => batches['gateway place_orders']?.count ?? 0),
    services: each(processOf),
    databases: each(databaseOf),
    bus: points(['postgres bus'], ({ messages }) => messages),
  };
  const others = runs.flatMap(({ cpuUs }) => Object.keys(cpuUs)).filter((role) => !known.has(role));
  return {
    ...ofParts,
    others: points([...new Set(others)], ({ orders }) => orders),
    commitUs: commitMs * 1_000,
  };
}

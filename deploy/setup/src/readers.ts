// Who reads which secrets: one group each. Containers run as one user; the group that a container is
// given (group_add, supplementalGroups) decides what it can read.

import type { ProcessName } from '@rushlight/contracts';

export type Engine = 'postgres' | 'rabbitmq' | 'redis';
export type Reader = ProcessName | Engine;

/** Numbers of groups, above those that systems and people have. */
export const readerGroups: Readonly<Record<Reader, number>> = {
  postgres: 10_011,
  rabbitmq: 10_012,
  redis: 10_013,
  identity: 10_021,
  inventory: 10_022,
  payments: 10_023,
  kitchen: 10_024,
  notifications: 10_025,
  orders: 10_026,
  gateway: 10_027,
  monitor: 10_028,
};

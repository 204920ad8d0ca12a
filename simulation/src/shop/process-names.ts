// The processes of the shop, in the order in which they are started. Services may be killed, stopped,
// and have wrong clocks.

export const serviceNames = [
  'inventory',
  'payments',
  'kitchen',
  'notifications',
  'orders',
  'gateway',
] as const;
export type SimServiceName = (typeof serviceNames)[number];

/** Those that are no service: they never die. */
export const outsiders = ['bus', 'provider', 'students', 'staff'] as const;
export type OutsiderName = (typeof outsiders)[number];

export type ProcessName = SimServiceName | OutsiderName;

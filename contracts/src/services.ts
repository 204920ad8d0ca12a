// The parts that run as processes of their own. Launcher, console, tests and docs read this table.

export type ServiceSpec = {
  readonly summary: string;
  /** Has a database and a role of its own, both named like the service. */
  readonly database: boolean;
  /** Further databases of the same owner, each with a role of its own. */
  readonly extraDatabases: readonly string[];
  /** Services that it calls over HTTP. None of them is needed to start. */
  readonly calls: readonly string[];
};

export const services = {
  identity: {
    summary: 'Users, passwords, tokens and their public keys.',
    database: true,
    extraDatabases: [],
    calls: [],
  },
  inventory: {
    summary: 'The menu and the stock ledger; decides reservations in batches.',
    database: true,
    extraDatabases: [],
    calls: [],
  },
  payments: {
    summary: 'Captures and refunds at the card provider, mirrored in double entry.',
    database: true,
    extraDatabases: ['provider'],
    calls: [],
  },
  kitchen: {
    summary: 'Cooks paid orders: tickets, stations, queue position, the display.',
    database: true,
    extraDatabases: [],
    calls: [],
  },
  notifications: {
    summary: 'The gapless event stream of every student, and messages out.',
    database: true,
    extraDatabases: [],
    calls: [],
  },
  orders: {
    summary: 'The life of an order, its idempotency keys and its deadline.',
    database: true,
    extraDatabases: [],
    calls: ['inventory', 'kitchen'],
  },
  gateway: {
    summary: 'The one public API: tokens, limits, shedding, the stock view, the console.',
    database: false,
    extraDatabases: [],
    calls: ['identity', 'inventory', 'orders', 'payments', 'kitchen', 'notifications', 'monitor'],
  },
} as const satisfies Record<string, ServiceSpec>;

export type ServiceName = keyof typeof services;

export const serviceNames = Object.keys(services) as ServiceName[];

/** All that speak for themselves: the services, and the monitor, which none of them needs. */
export const processes = {
  ...services,
  monitor: {
    summary: 'Takes telemetry in, keeps it, judges it and answers about it.',
    database: false,
    extraDatabases: [],
    calls: ['identity'],
  },
} as const satisfies Record<string, ServiceSpec>;

export type ProcessName = keyof typeof processes;
export const processNames = Object.keys(processes) as ProcessName[];

/** What services stand on. Each is run by the launcher, or by somebody else at a URL. */
export const engines = {
  postgres: { summary: 'The databases of all services, and the bus unless there is a broker.' },
  rabbitmq: { summary: 'The bus: what travels between services.' },
  redis: { summary: 'The cache that replicas share; nothing is lost with it.' },
} as const;
export type EngineName = keyof typeof engines;
export const engineNames = Object.keys(engines) as EngineName[];

/** The parts of a shop that has one of each. It may have replicas, and further engines. */
export const partNames: readonly (ProcessName | 'postgres')[] = [...processNames, 'postgres'];

/** `orders` for the part `orders-2`, which is one process of several; else the name itself. */
export function kindOfPart(part: string): string {
  return part.replace(/-[1-9]\d?$/, '');
}

export { type DatabaseClock, onDatabaseTime, openDatabaseClock } from './database-clock.ts';
export { type Failure, failureOf } from './failures.ts';
export {
  createMemoryLedger,
  type MemoryLedger,
  type MemoryLedgerOptions,
  type MemoryTransaction,
} from './memory-ledger.ts';
export { type MigrationSet, migrate } from './migrations.ts';
export { eventsPerMessageMax } from './outbox.ts';
export type { Timeouts } from './pool.ts';
export {
  type OnOperation,
  type OperationOutcome,
  openPostgres,
  type PostgresStore,
  type PostgresStoreOptions,
} from './postgres.ts';
export { type Relay, type RelayOptions, startRelay } from './relay.ts';
export { type Outbox, type Statement, type Transaction, UnavailableError } from './store.ts';

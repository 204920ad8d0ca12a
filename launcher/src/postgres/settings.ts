// How the embedded Postgres runs: durable like any other, lean because it shares a laptop.

/** What older versions do not know, and the first one that does. */
const knownSince: Readonly<Record<string, number>> = { io_method: 18 };

/** Server settings, each with its reason. */
const settings: Readonly<Record<string, string>> = {
  // Durable: an answered order is on the disk.
  fsync: 'on',
  synchronous_commit: 'on',
  // TCP on the loopback only; no socket file that could outlive us.
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // Seven services with pools of about ten, a few replicas of each, and room for a person. One that
  // is not open costs a few kilobytes.
  max_connections: '250',
  // The shop's hot tables fit; memory is touched only as far as it is used.
  shared_buffers: '96MB',
  work_mem: '4MB',
  maintenance_work_mem: '32MB',
  // Batches are short statements: compiling and parallel workers cost more than they give, and
  // workers want shared memory that containers often do not have.
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  io_method: 'sync',
  // Queue tables turn over all the time; vacuum must come round before they bloat.
  autovacuum_naptime: '10s',
  autovacuum_max_workers: '2',
  autovacuum_vacuum_cost_delay: '1ms',
  // What is replayed after a kill bounds the time it takes to be back.
  max_wal_size: '256MB',
  checkpoint_timeout: '1min',
  // Enough for a backup of the running cluster (npm run backup); nobody replicates from here.
  wal_level: 'replica',
  max_wal_senders: '0',
  // A backup that stands still must not fill the disk with what is kept for it.
  max_slot_wal_keep_size: '1GB',
  max_logical_replication_workers: '0',
  // A client that is gone must not keep its locks.
  client_connection_check_interval: '5s',
  tcp_keepalives_idle: '30',
  // Logs for people: when and who, but neither statements nor values.
  log_line_prefix: '%m [%p] %u@%d ',
  log_timezone: 'UTC',
  timezone: 'UTC',
  log_checkpoints: 'off',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  logging_collector: 'off',
};

/** The settings for this version; 15 is the oldest. */
export function postgresSettings(majorVersion: number): Readonly<Record<string, string>> {
  const known = Object.entries(settings).filter(
    ([name]) => (knownSince[name] ?? 0) <= majorVersion,
  );
  return Object.fromEntries(known);
}

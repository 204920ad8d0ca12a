// What a service process finds in its environment. The launcher, compose and Kubernetes write it,
// the chassis reads and checks it at the door.
//
// E1. Any of these, and any setting of a service, may be given as NAME_FILE instead: the path of a file
//     that holds it, as container engines and Kubernetes hand out secrets.

/**
 * Names common to every service. `DATABASE_URL` is absent where a service has no database. The names
 * of OpenTelemetry mean what they mean everywhere.
 */
export const serviceEnvironment = {
  RUSHLIGHT_SERVICE: 'The name of the service, as in the service table.',
  RUSHLIGHT_INSTANCE: 'A name for this replica, in logs and metrics; from the host unless given.',
  RUSHLIGHT_LISTEN_HOST: 'The address to listen on.',
  RUSHLIGHT_LISTEN_PORT: 'The port to listen on; 0 for any free one.',
  RUSHLIGHT_LISTEN_FD:
    'A listening socket that it inherits and shares with its other replicas, beside that port.',
  RUSHLIGHT_DATABASE_URL:
    'postgres:// URL of its own database, with its own role. `sslmode`, `sslrootcert` as libpq has ' +
    'them; `pgbouncer=true` where a pooler in transaction mode is in between.',
  RUSHLIGHT_PROVIDER_DATABASE_URL: 'payments only: the database of the simulated card provider.',
  RUSHLIGHT_DATABASE_CONNECTIONS_MAX: 'Connections that this process opens to a database at most.',
  RUSHLIGHT_BUS_URL: 'The bus: postgres:// for the embedded one, amqp:// or amqps:// for RabbitMQ.',
  RUSHLIGHT_CACHE_URL:
    'The cache that replicas share: redis:// or rediss://. Absent: in the process.',
  RUSHLIGHT_SERVICE_KEY: 'The private key (Ed25519 JWK, JSON) with which it signs its own tokens.',
  RUSHLIGHT_SERVICE_KEYS: 'The public keys of all services: a JWKS as JSON, kid = service name.',
  RUSHLIGHT_SERVICE_URLS:
    'JSON object: the base URL of each service it may call, or a list of them.',
  RUSHLIGHT_LAUNCHER_URL: 'gateway only: where the launcher listens; absent elsewhere.',
  RUSHLIGHT_LAB: 'true or false: whether the lab (demo logins, crowd, faults) is on.',
  RUSHLIGHT_DATA: 'A folder for files of its own (key material, message files).',
  RUSHLIGHT_LOG_LEVEL: 'trace, debug, info, warn, error.',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'Where OTLP/HTTP is sent to: the base URL. Absent: nowhere.',
  OTEL_EXPORTER_OTLP_HEADERS:
    'Headers for that: key=value, with commas between, values URL-encoded.',
} as const;

export type ServiceEnvironmentName = keyof typeof serviceEnvironment;

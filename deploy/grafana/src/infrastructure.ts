// What the shop stands on: processes, the machine, containers, and the servers beside it.

import { type Dashboard, lines, type Panel, query, type Row, table } from './model.ts';
import { by, foreign, own, perSecond, rate, recorded } from './promql.ts';

/** Of a machine, what is no file system of a disk. */
const noDisk = { fstype: { not: /tmpfs|ramfs|overlay|squashfs|fuse.*|nsfs|proc|sysfs/ } };

const processes: Row = {
  title: 'Processes',
  panels: [
    table(
      'Who answers',
      'Every target: 1 answers, 0 does not. The first place to look for "who".',
      {
        ...{ unit: 'short', width: 8 },
        queries: [query(foreign('up'), '{{service}} {{instance}}')],
      },
    ),
    lines('Requests of each service', 'Who does the work, and whose line breaks off.', {
      ...{ unit: 'cps', width: 8 },
      queries: [query(recorded('service:http_requests:rate5m'), '{{service}}')],
    }),
    lines('Share of errors of each service', '5xx of all answers over 5 minutes.', {
      ...{ unit: 'percentunit', width: 8, bound: { value: 0.05, wrong: 'above' } },
      queries: [query(recorded('service:http_error_ratio:rate5m'), '{{service}}')],
    }),
    lines('p99 of each service', 'Over 5 minutes, event streams left out.', {
      ...{ unit: 's', width: 8 },
      queries: [query(recorded('service:http_request_duration_seconds:p99_rate5m'), '{{service}}')],
    }),
    lines(
      'Processor time of each process',
      'Cores. JavaScript runs on one: at 1 the process is full.',
      {
        ...{ unit: 'percentunit', width: 8, bound: { value: 0.9, wrong: 'above' } },
        queries: [query(rate(foreign('process_cpu_seconds_total')), '{{service}} {{instance}}')],
      },
    ),
    lines('Memory of each process', 'A line that only climbs is a leak.', {
      ...{ unit: 'bytes', width: 8 },
      queries: [query(foreign('process_resident_memory_bytes'), '{{service}} {{instance}}')],
    }),
    lines(
      'Connections to Postgres',
      'Open, of those that it allows. At 1 nobody can start any more.',
      {
        ...{ unit: 'percentunit', width: 8, bound: { value: 0.8, wrong: 'above' } },
        queries: [
          query(
            `max(${own('postgres_connections')} / ${own('postgres_connections_max')})`,
            'taken',
          ),
        ],
      },
    ),
    lines(
      'Free disk',
      'Under the data of each service. At 0 Postgres stops and no order is taken.',
      {
        ...{ unit: 'percentunit', width: 8, bound: { value: 0.1, wrong: 'below' } },
        queries: [
          query(
            by(
              'min',
              ['service', 'volume'],
              `${own('disk_available_bytes')} / ${own('disk_size_bytes')}`,
            ),
            '{{service}} {{volume}}',
          ),
        ],
      },
    ),
    lines('Time of a scrape', 'A process that is slow to tell of itself is slow in all else.', {
      ...{ unit: 's', width: 8 },
      queries: [query(foreign('scrape_duration_seconds'), '{{service}} {{instance}}')],
    }),
  ],
};

const machine: Row = {
  title: 'Machine (node-exporter)',
  panels: [
    lines('Processors in use', 'Of all cores. Above 0.9 everything waits for everything.', {
      ...{ unit: 'percentunit', width: 8, bound: { value: 0.9, wrong: 'above' } },
      queries: [
        query(
          `1 - ${by('avg', ['instance'], rate(foreign('node_cpu_seconds_total', { mode: 'idle' })))}`,
          '{{instance}}',
        ),
      ],
    }),
    lines('Memory in use', 'What cannot be had without pushing something out.', {
      ...{ unit: 'percentunit', width: 8, bound: { value: 0.9, wrong: 'above' } },
      queries: [
        query(
          `1 - ${foreign('node_memory_MemAvailable_bytes')} / ${foreign('node_memory_MemTotal_bytes')}`,
          '{{instance}}',
        ),
      ],
    }),
    lines('File systems in use', 'By mount point.', {
      ...{ unit: 'percentunit', width: 8, bound: { value: 0.9, wrong: 'above' } },
      queries: [
        query(
          `1 - ${foreign('node_filesystem_avail_bytes', noDisk)} / ${foreign('node_filesystem_size_bytes', noDisk)}`,
          '{{instance}} {{mountpoint}}',
        ),
      ],
    }),
    lines('Disks at work', 'The share of the time in which a disk had something to do.', {
      ...{ unit: 'percentunit', width: 12 },
      queries: [query(rate(foreign('node_disk_io_time_seconds_total')), '{{instance}} {{device}}')],
    }),
    lines('Network', 'Bytes a second, received and sent, without the loopback.', {
      ...{ unit: 'Bps', width: 12 },
      queries: [
        query(
          rate(foreign('node_network_receive_bytes_total', { device: { not: 'lo' } })),
          '{{instance}} {{device}} received',
        ),
        query(
          rate(foreign('node_network_transmit_bytes_total', { device: { not: 'lo' } })),
          '{{instance}} {{device}} sent',
        ),
      ],
    }),
  ],
};

const named = { name: /.+/ };
const containers: Row = {
  title: 'Containers (cAdvisor)',
  closed: true,
  panels: [
    lines('Processor time of containers', 'Cores, by container.', {
      ...{ unit: 'short', width: 12 },
      queries: [
        query(
          by('sum', ['name'], rate(foreign('container_cpu_usage_seconds_total', named))),
          '{{name}}',
        ),
      ],
    }),
    lines('Memory of containers', 'Of its limit, where it has one. At 1 the kernel ends it.', {
      ...{ unit: 'percentunit', width: 12, bound: { value: 0.9, wrong: 'above' } },
      queries: [
        query(
          `${by('sum', ['name'], foreign('container_memory_working_set_bytes', named))} / ` +
            `(${by('sum', ['name'], foreign('container_spec_memory_limit_bytes', named))} > 0)`,
          '{{name}}',
        ),
      ],
    }),
  ],
};

/** Not those that every Postgres brings. */
const ours = { datname: { not: /template.*|postgres|/ } };
const postgres: Row = {
  title: 'Postgres (its exporter)',
  closed: true,
  panels: [
    lines('Postgres answers', '1 when its exporter can log in.', {
      ...{ unit: 'short', width: 8, bound: { value: 1, wrong: 'below' } },
      queries: [query(foreign('pg_up'), '{{instance}}')],
    }),
    lines('Connections by database', 'And all that are allowed.', {
      ...{ unit: 'short', width: 8 },
      queries: [
        query(by('sum', ['datname'], foreign('pg_stat_database_numbackends', ours)), '{{datname}}'),
        query(`max(${foreign('pg_settings_max_connections')})`, 'allowed'),
      ],
    }),
    lines('Transactions', 'Committed and rolled back a second, by database.', {
      ...{ unit: 'cps', width: 8 },
      queries: [
        query(
          by('sum', ['datname'], rate(foreign('pg_stat_database_xact_commit', ours))),
          '{{datname}} committed',
        ),
        query(
          by('sum', ['datname'], rate(foreign('pg_stat_database_xact_rollback', ours))),
          '{{datname}} rolled back',
        ),
      ],
    }),
    lines('Found in memory', 'The share of blocks that no disk had to be asked for.', {
      ...{ unit: 'percentunit', width: 8 },
      queries: [
        query(
          `${by('sum', ['datname'], rate(foreign('pg_stat_database_blks_hit', ours)))} / ` +
            `(${by('sum', ['datname'], rate(foreign('pg_stat_database_blks_hit', ours)))} + ` +
            `${by('sum', ['datname'], rate(foreign('pg_stat_database_blks_read', ours)))})`,
          '{{datname}}',
        ),
      ],
    }),
    lines('Deadlocks', 'None are expected: locks are taken in the order of ids.', {
      ...{ unit: 'cps', width: 8 },
      queries: [
        query(
          by('sum', ['datname'], rate(foreign('pg_stat_database_deadlocks', ours))),
          '{{datname}}',
        ),
      ],
    }),
    lines('Size of databases', 'On its disk.', {
      ...{ unit: 'bytes', width: 8 },
      queries: [
        query(by('max', ['datname'], foreign('pg_database_size_bytes', ours)), '{{datname}}'),
      ],
    }),
  ],
};

const redis: Row = {
  title: 'Redis (its exporter)',
  closed: true,
  panels: [
    lines(
      'Redis answers',
      '1 when its exporter can ask it. Without it the shop is slower, never wrong.',
      {
        ...{ unit: 'short', width: 6, bound: { value: 1, wrong: 'below' } },
        queries: [query(foreign('redis_up'), '{{instance}}')],
      },
    ),
    lines('Commands', 'A second, and clients that are connected.', {
      ...{ unit: 'short', width: 6 },
      queries: [
        query(perSecond(foreign('redis_commands_processed_total')), 'commands a second'),
        query(`sum(${foreign('redis_connected_clients')})`, 'clients'),
      ],
    }),
    lines('Memory of Redis', 'What it holds.', {
      ...{ unit: 'bytes', width: 6 },
      queries: [query(foreign('redis_memory_used_bytes'), '{{instance}}')],
    }),
    lines('Keys found', 'Looked up a second: found, and not.', {
      ...{ unit: 'cps', width: 6 },
      queries: [
        query(perSecond(foreign('redis_keyspace_hits_total')), 'found'),
        query(perSecond(foreign('redis_keyspace_misses_total')), 'not found'),
      ],
    }),
  ],
};

function rabbitPanels(): Panel[] {
  return [
    lines('Messages in RabbitMQ', 'That wait, and that somebody has taken and not acknowledged.', {
      ...{ unit: 'short', width: 6 },
      queries: [
        query(`sum(${foreign('rabbitmq_queue_messages_ready')})`, 'waiting'),
        query(`sum(${foreign('rabbitmq_queue_messages_unacked')})`, 'not acknowledged'),
      ],
    }),
    lines('Messages through RabbitMQ', 'A second, taken in and handed out.', {
      ...{ unit: 'cps', width: 6 },
      queries: [
        query(perSecond(foreign('rabbitmq_global_messages_received_total')), 'taken in'),
        query(perSecond(foreign('rabbitmq_global_messages_delivered_total')), 'handed out'),
      ],
    }),
    lines('Memory of RabbitMQ', 'Of its limit. At 1 it blocks those that publish.', {
      ...{ unit: 'percentunit', width: 6, bound: { value: 0.9, wrong: 'above' } },
      queries: [
        query(
          `${foreign('rabbitmq_process_resident_memory_bytes')} / ${foreign('rabbitmq_resident_memory_limit_bytes')}`,
          '{{instance}}',
        ),
      ],
    }),
    lines(
      'Connections and disk of RabbitMQ',
      'Open connections; free bytes, below which it blocks.',
      {
        ...{ unit: 'short', width: 6 },
        queries: [
          query(`sum(${foreign('rabbitmq_connections')})`, 'connections'),
          query(foreign('rabbitmq_disk_space_available_bytes'), '{{instance}} bytes free'),
        ],
      },
    ),
  ];
}

export const infrastructure: Dashboard = {
  uid: 'rushlight-infrastructure',
  title: 'Infrastructure',
  tells: 'Processes, the machine, containers, and the servers beside them.',
  rows: [
    processes,
    machine,
    containers,
    postgres,
    redis,
    { title: 'RabbitMQ (its own plugin)', closed: true, panels: rabbitPanels() },
  ],
};

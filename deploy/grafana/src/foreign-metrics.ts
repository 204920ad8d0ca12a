// Metrics that dashboards show and that others write, by who writes them. Names are those of the
// programs' own documentation; the full suite compares all that it can run with the real thing.

export const foreignMetrics = {
  /** Prometheus, of every target and of every rule. */
  prometheus: ['up', 'ALERTS', 'scrape_duration_seconds'],
  /** The Node client, in every process of ours. */
  node: [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_heap_size_used_bytes',
    'nodejs_eventloop_lag_p99_seconds',
  ],
  /** https://github.com/prometheus/node_exporter: the machine. */
  nodeExporter: [
    'node_cpu_seconds_total',
    'node_memory_MemAvailable_bytes',
    'node_memory_MemTotal_bytes',
    'node_filesystem_avail_bytes',
    'node_filesystem_size_bytes',
    'node_disk_io_time_seconds_total',
    'node_network_receive_bytes_total',
    'node_network_transmit_bytes_total',
  ],
  /** https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md: containers. */
  cadvisor: [
    'container_cpu_usage_seconds_total',
    'container_memory_working_set_bytes',
    'container_spec_memory_limit_bytes',
  ],
  /** The same of cAdvisor (v0.52) in the kubelet of Kubernetes 1.34, which bounds processor time. */
  kubeletCadvisor: ['container_cpu_cfs_periods_total', 'container_cpu_cfs_throttled_periods_total'],
  /** The kubelet of Kubernetes 1.34: https://kubernetes.io/docs/reference/instrumentation/metrics/ */
  kubelet: ['kubelet_volume_stats_used_bytes', 'kubelet_volume_stats_capacity_bytes'],
  /** kube-state-metrics v2.17: https://github.com/kubernetes/kube-state-metrics/tree/main/docs */
  kubeStateMetrics: [
    'kube_deployment_spec_replicas',
    'kube_deployment_status_replicas_available',
    'kube_horizontalpodautoscaler_spec_max_replicas',
    'kube_horizontalpodautoscaler_status_current_replicas',
    'kube_horizontalpodautoscaler_status_desired_replicas',
    'kube_node_status_condition',
    'kube_pod_container_resource_limits',
    'kube_pod_container_resource_requests',
    'kube_pod_container_status_last_terminated_reason',
    'kube_pod_container_status_restarts_total',
    'kube_pod_container_status_waiting_reason',
    'kube_pod_status_phase',
    'kube_poddisruptionbudget_status_pod_disruptions_allowed',
  ],
  /** https://github.com/prometheus-community/postgres_exporter */
  postgres: [
    'pg_up',
    'pg_stat_database_numbackends',
    'pg_settings_max_connections',
    'pg_stat_database_xact_commit',
    'pg_stat_database_xact_rollback',
    'pg_stat_database_blks_hit',
    'pg_stat_database_blks_read',
    'pg_stat_database_deadlocks',
    'pg_database_size_bytes',
  ],
  /** https://github.com/oliver006/redis_exporter */
  redis: [
    'redis_up',
    'redis_memory_used_bytes',
    'redis_commands_processed_total',
    'redis_connected_clients',
    'redis_keyspace_hits_total',
    'redis_keyspace_misses_total',
  ],
  /** https://www.rabbitmq.com/docs/prometheus: the broker's own plugin, aggregated. */
  rabbitmq: [
    'rabbitmq_queue_messages_ready',
    'rabbitmq_queue_messages_unacked',
    'rabbitmq_connections',
    'rabbitmq_process_resident_memory_bytes',
    'rabbitmq_resident_memory_limit_bytes',
    'rabbitmq_disk_space_available_bytes',
    'rabbitmq_global_messages_received_total',
    'rabbitmq_global_messages_delivered_total',
  ],
} as const satisfies Record<string, readonly string[]>;

export type ForeignMetric = (typeof foreignMetrics)[keyof typeof foreignMetrics][number];

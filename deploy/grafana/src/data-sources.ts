// The data sources that dashboards choose from, as `provisioning/datasources/` names them.

export const dataSources = {
  prometheus: { variable: 'metrics', label: 'Metrics from', uid: 'prometheus', name: 'Prometheus' },
  loki: { variable: 'logs', label: 'Logs from', uid: 'loki', name: 'Loki' },
} as const;

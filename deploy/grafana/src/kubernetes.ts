// The shop on a cluster: what Kubernetes knows of its objects (kube-state-metrics) and what their
// containers use (the kubelet, with cAdvisor in it).

import { type Dashboard, lines, query, type Row, table } from './model.ts';
import { by, foreign, orNone, rate } from './promql.ts';

/** Objects of the shop. Its namespace in deploy/kubernetes; elsewhere change it here. */
const here = { namespace: 'rushlight' };
/** Not the sums that cAdvisor tells beside its containers. */
const containers = { ...here, container: { not: '' } };

const pods: Row = {
  title: 'Pods',
  panels: [
    lines('Replicas that are missing', 'Wanted, less those that are ready, of each Deployment.', {
      ...{ unit: 'short', width: 8, bound: { value: 1, wrong: 'above' } },
      queries: [
        query(
          `${by('sum', ['deployment'], foreign('kube_deployment_spec_replicas', here))} - ` +
            by('sum', ['deployment'], foreign('kube_deployment_status_replicas_available', here)),
          '{{deployment}}',
        ),
      ],
    }),
    lines('Pods that are not running', 'Pending: no node has room, or a volume is missing.', {
      ...{ unit: 'short', width: 8, bound: { value: 1, wrong: 'above' } },
      queries: [
        query(
          by(
            'sum',
            ['phase'],
            foreign('kube_pod_status_phase', { ...here, phase: /Pending|Failed|Unknown/ }),
          ),
          '{{phase}}',
        ),
      ],
    }),
    lines(
      'Starts again',
      'Containers that ended and were started again, in the last ten minutes.',
      {
        ...{ unit: 'short', width: 8, bound: { value: 3, wrong: 'above' } },
        queries: [
          query(
            by(
              'sum',
              ['pod'],
              `increase(${foreign('kube_pod_container_status_restarts_total', here)}[10m])`,
            ),
            '{{pod}}',
          ),
        ],
      },
    ),
    table(
      'Why containers wait',
      'CreateContainerConfigError: a Secret is missing. CrashLoopBackOff: read its log.',
      {
        ...{ unit: 'short', width: 12 },
        queries: [
          query(
            orNone(
              by(
                'sum',
                ['pod', 'reason'],
                foreign('kube_pod_container_status_waiting_reason', here),
              ),
            ),
            '{{pod}} {{reason}}',
          ),
        ],
      },
    ),
    table('How containers ended last', 'OOMKilled: it took more memory than its limit.', {
      ...{ unit: 'short', width: 12 },
      queries: [
        query(
          orNone(
            by(
              'sum',
              ['pod', 'reason'],
              foreign('kube_pod_container_status_last_terminated_reason', here),
            ),
          ),
          '{{pod}} {{reason}}',
        ),
      ],
    }),
  ],
};

const scaling: Row = {
  title: 'Scaling and disruption',
  panels: [
    lines('Replicas', 'What each autoscaler has, and what it wants.', {
      ...{ unit: 'short', width: 8 },
      queries: [
        query(
          foreign('kube_horizontalpodautoscaler_status_current_replicas', here),
          '{{horizontalpodautoscaler}}',
        ),
        query(
          foreign('kube_horizontalpodautoscaler_status_desired_replicas', here),
          '{{horizontalpodautoscaler}} wanted',
        ),
      ],
    }),
    lines('Of what is allowed', 'At 1 an autoscaler would like more than its maximum.', {
      ...{ unit: 'percentunit', width: 8, bound: { value: 1, wrong: 'above' } },
      queries: [
        query(
          `${by('max', ['horizontalpodautoscaler'], foreign('kube_horizontalpodautoscaler_status_desired_replicas', here))} / ` +
            by(
              'max',
              ['horizontalpodautoscaler'],
              foreign('kube_horizontalpodautoscaler_spec_max_replicas', here),
            ),
          '{{horizontalpodautoscaler}}',
        ),
      ],
    }),
    lines('Disruptions allowed', 'At 0 no node with its pods can be emptied now.', {
      ...{ unit: 'short', width: 8, bound: { value: 1, wrong: 'below' } },
      queries: [
        query(
          foreign('kube_poddisruptionbudget_status_pod_disruptions_allowed', here),
          '{{poddisruptionbudget}}',
        ),
      ],
    }),
  ],
};

const perPod = ['pod'];
const use: Row = {
  title: 'Processor and memory',
  panels: [
    lines(
      'Processor time of each pod',
      'Cores. JavaScript runs on one: at 1 the process is full.',
      {
        ...{ unit: 'short', width: 8, bound: { value: 0.9, wrong: 'above' } },
        queries: [
          query(
            by('sum', perPod, rate(foreign('container_cpu_usage_seconds_total', containers))),
            '{{pod}}',
          ),
        ],
      },
    ),
    lines(
      'Time held back',
      'The share of periods in which a pod wanted more than its limit: every answer waits.',
      {
        ...{ unit: 'percentunit', width: 8, bound: { value: 0.1, wrong: 'above' } },
        queries: [
          query(
            `${by('sum', perPod, rate(foreign('container_cpu_cfs_throttled_periods_total', containers)))} / ` +
              by('sum', perPod, rate(foreign('container_cpu_cfs_periods_total', containers))),
            '{{pod}}',
          ),
        ],
      },
    ),
    lines('Processor time requested', 'In use, of what is requested. Autoscalers aim at 0.7.', {
      ...{ unit: 'percentunit', width: 8 },
      queries: [
        query(
          `${by('sum', perPod, rate(foreign('container_cpu_usage_seconds_total', containers)))} / ` +
            by(
              'sum',
              perPod,
              foreign('kube_pod_container_resource_requests', { ...here, resource: 'cpu' }),
            ),
          '{{pod}}',
        ),
      ],
    }),
    lines('Memory of its limit', 'At 1 the pod is killed, and starts again.', {
      ...{ unit: 'percentunit', width: 8, bound: { value: 0.9, wrong: 'above' } },
      queries: [
        query(
          `${by('sum', perPod, foreign('container_memory_working_set_bytes', containers))} / ` +
            by(
              'sum',
              perPod,
              foreign('kube_pod_container_resource_limits', { ...here, resource: 'memory' }),
            ),
          '{{pod}}',
        ),
      ],
    }),
    lines('Volumes', 'In use, of what each has. The monitor forgets what is oldest by itself.', {
      ...{ unit: 'percentunit', width: 8, bound: { value: 0.85, wrong: 'above' } },
      queries: [
        query(
          `${by('max', ['persistentvolumeclaim'], foreign('kubelet_volume_stats_used_bytes', here))} / ` +
            by(
              'max',
              ['persistentvolumeclaim'],
              foreign('kubelet_volume_stats_capacity_bytes', here),
            ),
          '{{persistentvolumeclaim}}',
        ),
      ],
    }),
    lines('Nodes that are not ready', 'Their pods are put elsewhere after five minutes.', {
      ...{ unit: 'short', width: 8, bound: { value: 1, wrong: 'above' } },
      queries: [
        query(
          by(
            'sum',
            ['node'],
            foreign('kube_node_status_condition', {
              ...{ condition: 'Ready', status: { not: 'true' } },
            }),
          ),
          '{{node}}',
        ),
      ],
    }),
  ],
};

export const kubernetes: Dashboard = {
  uid: 'rushlight-kubernetes',
  title: 'Kubernetes',
  tells: 'The shop on a cluster: pods, autoscalers, budgets, and what they use of their limits.',
  rows: [pods, scaling, use],
};

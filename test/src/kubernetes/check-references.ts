// Objects that name each other: selectors and labels, targets, volumes, routes.

import {
  type KubeObject,
  type Labels,
  matches,
  nameOf,
  ofKind,
  type Selector,
  type Workload,
  workloadsOf,
} from './objects.ts';

type ServicePort = { name: string; port: number; targetPort: string | number };
type ServiceSpec = { selector: Labels; ports: ServicePort[] };

export function referenceFindings(objects: readonly KubeObject[]): string[] {
  const workloads = workloadsOf(objects);
  return [
    ...twice(objects),
    ...workloads.flatMap((workload) =>
      ofWorkload(workload, objects).map((what) => `${workload.kind} ${workload.name}: ${what}`),
    ),
    ...ofKind<ServiceSpec>(objects, 'Service').flatMap((service) =>
      ofService(service.spec, workloads).map((what) => `${nameOf(service)}: ${what}`),
    ),
    ...autoscalers(objects, workloads),
    ...disruptions(objects, workloads),
    ...scraped(objects),
    ...routed(objects),
  ];
}

function twice(objects: readonly KubeObject[]): string[] {
  const names = objects.map(nameOf);
  return names
    .filter((name, index) => names.indexOf(name) !== index)
    .map((name) => `${name} is there twice`);
}

function ofWorkload({ spec, labels, pod }: Workload, objects: readonly KubeObject[]): string[] {
  const has = (kind: string, name: string | undefined): boolean =>
    objects.some((object) => object.kind === kind && object.metadata.name === name);
  const volumes = (pod.volumes ?? []).map(({ name }) => name);
  const templates = (spec as { volumeClaimTemplates?: KubeObject[] }).volumeClaimTemplates ?? [];
  const known = [...volumes, ...templates.map(({ metadata }) => metadata.name)];
  const mounts = pod.containers.flatMap(({ volumeMounts = [] }) => volumeMounts);
  const claims = (pod.volumes ?? []).flatMap(
    ({ persistentVolumeClaim: claim }) => claim?.claimName ?? [],
  );
  const { topologySpreadConstraints: spreads = [] } = pod as {
    topologySpreadConstraints?: { labelSelector: Selector; matchLabelKeys?: string[] }[];
  };
  return [
    ...spreads
      .filter(
        ({ labelSelector, matchLabelKeys = [] }) =>
          !matches(labelSelector, labels) ||
          !matchLabelKeys.every((key) => key in labels || key === 'pod-template-hash'),
      )
      .map(() => 'spreads others than its own pods'),
    ...(spec.selector && !matches(spec.selector, labels) ? ['does not select its own pods'] : []),
    ...mounts
      .filter(({ name }) => !known.includes(name))
      .map(({ name }) => `mounts no volume ${name}`),
    ...known
      .filter((name) => !mounts.some((mount) => mount.name === name))
      .map((name) => `nothing mounts the volume ${name}`),
    ...claims
      .filter((name) => !has('PersistentVolumeClaim', name))
      .map((name) => `no claim ${name}`),
    ...(pod.serviceAccountName && !has('ServiceAccount', pod.serviceAccountName)
      ? [`no ServiceAccount ${pod.serviceAccountName}`]
      : []),
    ...(spec.serviceName && !has('Service', spec.serviceName)
      ? [`no Service ${spec.serviceName}`]
      : []),
  ];
}

function ofService({ selector, ports }: ServiceSpec, workloads: readonly Workload[]): string[] {
  const selected = workloads.filter(({ labels }) => matches({ matchLabels: selector }, labels));
  if (selected.length !== 1) return [`selects ${selected.length} workloads`];
  const open = selected.flatMap(({ pod }) =>
    pod.containers.flatMap(({ ports: own = [] }) =>
      own.flatMap(({ name, containerPort }) => [name, containerPort]),
    ),
  );
  return ports
    .filter(({ targetPort }) => !open.includes(targetPort))
    .map(({ targetPort }) => `sends to port ${targetPort}, which its pods do not have`);
}

type AutoscalerSpec = {
  scaleTargetRef: { kind: string; name: string };
  minReplicas: number;
  maxReplicas: number;
};
const autoscalersIn = (objects: readonly KubeObject[]) =>
  ofKind<AutoscalerSpec>(objects, 'HorizontalPodAutoscaler');

function autoscalers(objects: readonly KubeObject[], workloads: readonly Workload[]): string[] {
  return autoscalersIn(objects).flatMap((autoscaler) => {
    const { scaleTargetRef: target, minReplicas, maxReplicas } = autoscaler.spec;
    const scaled = workloads.find(({ kind, name }) => kind === target.kind && name === target.name);
    const found = [
      ...(scaled === undefined ? [`scales no ${target.kind} ${target.name}`] : []),
      ...(scaled?.spec.replicas === undefined ? [] : ['its target says how many there are, too']),
      ...(maxReplicas > minReplicas ? [] : ['has nothing to decide']),
    ];
    return found.map((what) => `${nameOf(autoscaler)}: ${what}`);
  });
}

/** How many there are at least, as the overlay has it. */
export function replicasOf(workload: Workload, objects: readonly KubeObject[]): number {
  const autoscaler = autoscalersIn(objects).find(
    ({ spec }) =>
      spec.scaleTargetRef.name === workload.name && spec.scaleTargetRef.kind === workload.kind,
  );
  return autoscaler?.spec.minReplicas ?? workload.spec.replicas ?? 1;
}

function disruptions(objects: readonly KubeObject[], workloads: readonly Workload[]): string[] {
  type Budget = { selector: Selector; maxUnavailable?: number; minAvailable?: number };
  return ofKind<Budget>(objects, 'PodDisruptionBudget').flatMap((budget) => {
    const { selector, maxUnavailable, minAvailable = 0 } = budget.spec;
    const guarded = workloads.filter(({ labels }) => matches(selector, labels));
    const [one] = guarded;
    if (guarded.length !== 1 || one === undefined) {
      return [`${nameOf(budget)}: guards ${guarded.length} workloads`];
    }
    const replicas = replicasOf(one, objects);
    const allowed = maxUnavailable ?? replicas - minAvailable;
    return [
      ...(allowed >= 1 ? [] : [`${nameOf(budget)}: no node with it can ever be emptied`]),
      ...(replicas > allowed ? [] : [`${nameOf(budget)}: all of ${replicas} may go at once`]),
    ];
  });
}

/** Monitors of services of ours; those of the cluster's own are known by its documentation alone. */
function scraped(objects: readonly KubeObject[]): string[] {
  type Monitor = {
    selector: Selector;
    namespaceSelector?: object;
    endpoints: { port: string; path: string }[];
  };
  const services = ofKind<ServiceSpec>(objects, 'Service');
  return ofKind<Monitor>(objects, 'ServiceMonitor')
    .filter(({ spec }) => spec.namespaceSelector === undefined)
    .flatMap((monitor) => {
      const selected = services.filter(({ metadata }) =>
        matches(monitor.spec.selector, metadata.labels ?? {}),
      );
      if (selected.length === 0) return [`${nameOf(monitor)}: finds no Service`];
      return monitor.spec.endpoints.flatMap(({ port, path }) => [
        ...(path === '/metrics' ? [] : [`${nameOf(monitor)}: no process answers ${path}`]),
        ...selected
          .filter(({ spec }) => !spec.ports.some(({ name }) => name === port))
          .map((service) => `${nameOf(monitor)}: ${nameOf(service)} has no port ${port}`),
      ]);
    });
}

/** What comes from outside ends at the gateway. */
function routed(objects: readonly KubeObject[]): string[] {
  type Route = { rules: { backendRefs?: { name: string; port: number }[] }[] };
  type Ingress = {
    rules: {
      http: { paths: { backend: { service: { name: string; port: { name: string } } } }[] };
    }[];
  };
  const services = ofKind<ServiceSpec>(objects, 'Service');
  const hasPort = (name: string, port: string | number): boolean =>
    services.some(
      ({ metadata, spec }) =>
        metadata.name === name && spec.ports.some((open) => [open.name, open.port].includes(port)),
    );
  const ends = [
    ...ofKind<Route>(objects, 'HTTPRoute').flatMap((route) =>
      route.spec.rules
        .flatMap(({ backendRefs = [] }) => backendRefs)
        .map(({ name, port }) => ({ from: nameOf(route), name, port: port as string | number })),
    ),
    ...ofKind<Ingress>(objects, 'Ingress').flatMap((ingress) =>
      ingress.spec.rules
        .flatMap(({ http }) => http.paths)
        .map(({ backend: { service } }) => ({
          ...{ from: nameOf(ingress), name: service.name, port: service.port.name },
        })),
    ),
  ];
  return ends.flatMap(({ from, name, port }) => [
    ...(name === 'gateway' ? [] : [`${from}: opens ${name} to everybody`]),
    ...(hasPort(name, port) ? [] : [`${from}: no Service ${name} has the port ${port}`]),
  ]);
}

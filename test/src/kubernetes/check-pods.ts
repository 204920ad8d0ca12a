// How pods run: what they may do, what they may use, how they are asked, and how they end.

import {
  type Container,
  isProcess,
  type KubeObject,
  type Workload,
  workloadsOf,
} from './objects.ts';
import type { Surroundings } from './surroundings.ts';

const processPort = 8_080;

export function podFindings(objects: readonly KubeObject[], around: Surroundings): string[] {
  return workloadsOf(objects).flatMap((workload) => {
    const { pod } = workload;
    const containers = [...(pod.initContainers ?? []), ...pod.containers];
    const found = [
      ...securityOfPod(workload),
      ...containers.flatMap((container) => [
        ...securityOf(container),
        ...imageOf(container, around),
        ...resourcesOf(container),
      ]),
      ...(workload.kind === 'Job' ? [] : pod.containers.flatMap(probesOf)),
      ...(isProcess(workload)
        ? [...operationsOf(workload, around), ...endOf(workload, around)]
        : []),
      ...rolloutOf(workload),
    ];
    return found.map((what) => `${workload.kind} ${workload.name}: ${what}`);
  });
}

function securityOfPod({ pod }: Workload): string[] {
  const { runAsNonRoot, runAsUser, seccompProfile } = pod.securityContext ?? {};
  return [
    ...(runAsNonRoot === true ? [] : ['runAsNonRoot is not true']),
    ...(Number(runAsUser) > 0 ? [] : ['runAsUser is no number above 0']),
    ...(seccompProfile?.type === 'RuntimeDefault' ? [] : ['seccompProfile is not RuntimeDefault']),
    ...(pod.automountServiceAccountToken === false ? [] : ['has a token of the cluster']),
    ...(pod.enableServiceLinks === false ? [] : ['has variables by the names of Services']),
  ];
}

function securityOf({ name, securityContext = {} }: Container): string[] {
  const { capabilities, allowPrivilegeEscalation, readOnlyRootFilesystem } = securityContext;
  const has = [
    allowPrivilegeEscalation === false || 'allowPrivilegeEscalation is not false',
    readOnlyRootFilesystem === true || 'readOnlyRootFilesystem is not true',
    capabilities?.drop?.includes('ALL') || 'does not drop all capabilities',
    capabilities?.add === undefined || 'adds capabilities',
    securityContext.privileged !== true || 'is privileged',
  ];
  return has.filter((fine) => typeof fine === 'string').map((what) => `${name}: ${what}`);
}

function imageOf({ name, image }: Container, { version }: Surroundings): string[] {
  const [, repository = '', tag] = /^(.+?)(?::([^/:]+))?$/.exec(image) ?? [];
  if (tag === undefined || !/^v?\d+\.\d+/.test(tag))
    return [`${name}: image ${image} has no version`];
  const isOurs = repository.split('/').at(-1) === 'rushlight';
  return isOurs && tag !== version ? [`${name}: image ${image} is not of version ${version}`] : [];
}

const quantity = /^\d+(\.\d+)?(m|Ki|Mi|Gi)?$/;

function resourcesOf({ name, resources = {} }: Container): string[] {
  return (['requests', 'limits'] as const).flatMap((what) =>
    (['cpu', 'memory'] as const)
      .filter((of) => !quantity.test(String(resources[what]?.[of] ?? '')))
      .map((of) => `${name}: ${what} no ${of}`),
  );
}

const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;

/** Every container that goes on is asked, at a port that it has. */
function probesOf(container: Container): string[] {
  const ports = (container.ports ?? []).flatMap(({ name, containerPort }) => [name, containerPort]);
  return probes.flatMap((probe) => {
    const { httpGet, tcpSocket, exec } = container[probe] ?? {};
    const port = httpGet?.port ?? tcpSocket?.port;
    if (port !== undefined && !ports.includes(port)) {
      return [`${container.name}: ${probe} asks port ${port}, which it does not have`];
    }
    return (port ?? exec) ? [] : [`${container.name}: has no ${probe}`];
  });
}

/** A process of ours is asked where it answers. */
function operationsOf({ pod }: Workload, { operations }: Surroundings): string[] {
  const [process] = pod.containers;
  const wanted = { startupProbe: '/ping', livenessProbe: '/ping', readinessProbe: '/ready' };
  const wrong = probes.filter((probe) => process?.[probe]?.httpGet?.path !== wanted[probe]);
  const port = process?.ports?.find(({ name }) => name === 'http')?.containerPort;
  return [
    ...wrong.map((probe) => `${probe} does not ask ${wanted[probe]}`),
    ...(port === processPort ? [] : [`listens on ${port}, not on ${processPort}`]),
    ...Object.values(wanted)
      .filter((path) => !operations.includes(path))
      .map((path) => `no process answers ${path}`),
  ];
}

/** Endpoints go first, then it drains, and only then it is killed. */
function endOf({ pod }: Workload, { stopS }: Surroundings): string[] {
  const sleepS = pod.containers[0]?.lifecycle?.preStop?.sleep?.seconds ?? 0;
  const graceS = pod.terminationGracePeriodSeconds ?? 30;
  return [
    ...(sleepS >= 3 ? [] : ['does not wait for its endpoints to go (preStop)']),
    ...(graceS > sleepS + stopS
      ? []
      : [`is killed after ${graceS} s, but needs ${sleepS} s and ${stopS} s to end`]),
  ];
}

/** No replica goes before another is ready; what has a volume of its own cannot be two. */
function rolloutOf({ kind, pod, spec }: Workload): string[] {
  if (kind !== 'Deployment') return [];
  const hasVolume = pod.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim);
  const { type, rollingUpdate } = spec.strategy ?? {};
  if (hasVolume) {
    return type === 'Recreate' && spec.replicas === 1 ? [] : ['shares its volume between two pods'];
  }
  return rollingUpdate?.maxUnavailable === 0 && Number(rollingUpdate.maxSurge) > 0
    ? []
    : ['takes replicas away before others are ready'];
}

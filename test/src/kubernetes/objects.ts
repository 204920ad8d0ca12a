// Objects of Kubernetes, as far as the checks read them. Fields are optional, because a check is what
// finds that one is missing.

import { parseAllDocuments } from 'yaml';

export type Labels = Readonly<Record<string, string>>;

export type KubeObject = {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Labels };
  spec?: unknown;
  data?: Record<string, string>;
};

export type Variable = {
  name: string;
  value?: string;
  valueFrom?: {
    secretKeyRef?: { name: string; key: string; optional?: boolean };
    fieldRef?: { fieldPath: string };
  };
};

type Probe = {
  httpGet?: { path: string; port: string | number };
  tcpSocket?: { port: string | number };
  exec?: { command: string[] };
};

export type Container = {
  name: string;
  image: string;
  args?: string[];
  env?: Variable[];
  envFrom?: { configMapRef?: { name: string } }[];
  ports?: { name: string; containerPort: number }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  lifecycle?: { preStop?: { sleep?: { seconds: number } } };
  resources?: Partial<Record<'requests' | 'limits', Partial<Record<'cpu' | 'memory', string>>>>;
  securityContext?: {
    allowPrivilegeEscalation?: boolean;
    readOnlyRootFilesystem?: boolean;
    privileged?: boolean;
    capabilities?: { drop?: string[]; add?: string[] };
  };
  volumeMounts?: { name: string; mountPath: string; subPath?: string; readOnly?: boolean }[];
};

export type Pod = {
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  enableServiceLinks?: boolean;
  terminationGracePeriodSeconds?: number;
  securityContext?: {
    runAsNonRoot?: boolean;
    runAsUser?: number;
    seccompProfile?: { type?: string };
  };
  initContainers?: Container[];
  containers: Container[];
  volumes?: {
    name: string;
    secret?: { secretName: string; optional?: boolean };
    configMap?: { name: string };
    persistentVolumeClaim?: { claimName: string };
    emptyDir?: { sizeLimit?: string };
  }[];
};

type WorkloadSpec = {
  replicas?: number;
  strategy?: { type?: string; rollingUpdate?: { maxUnavailable?: number; maxSurge?: number } };
  selector?: { matchLabels: Labels };
  serviceName?: string;
  template: { metadata: { labels: Labels }; spec: Pod };
};

/** What makes pods: a Deployment, a StatefulSet or a Job. */
export type Workload = {
  kind: string;
  name: string;
  labels: Labels;
  spec: WorkloadSpec;
  pod: Pod;
};

export function readObjects(text: string): KubeObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw error;
    const object = document.toJS() as KubeObject | null;
    return object === null ? [] : [object];
  });
}

export const nameOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.name}`;

export function ofKind<S>(
  objects: readonly KubeObject[],
  kind: string,
): (KubeObject & { spec: S })[] {
  return objects.filter((object) => object.kind === kind) as (KubeObject & { spec: S })[];
}

const workloadKinds = ['Deployment', 'StatefulSet', 'Job'];

export function workloadsOf(objects: readonly KubeObject[]): Workload[] {
  return workloadKinds
    .flatMap((kind) => ofKind<WorkloadSpec>(objects, kind))
    .map(({ kind, metadata, spec }) => ({
      kind,
      name: metadata.name,
      labels: spec.template.metadata.labels,
      spec,
      pod: spec.template.spec,
    }));
}

export const componentLabel = 'app.kubernetes.io/component';

/** Those that run a process of the shop. */
export const isProcess = ({ labels }: Workload): boolean =>
  ['service', 'monitor'].includes(labels[componentLabel] ?? '');

export type Selector = {
  matchLabels?: Labels;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
};

export function matches(selector: Selector, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      if (operator !== 'In') throw new Error(`The check knows no operator ${operator}`);
      return values.includes(labels[key] ?? '');
    })
  );
}

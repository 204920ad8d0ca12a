// Who may speak with whom: the arrows of the table of services, the engines, telemetry, names, and
// nothing else.

import { type ProcessName, processes, processNames, type ServiceName } from '@rushlight/contracts';
import { cacheUsers } from './check-variables.ts';
import { networkOf, type Party } from './network.ts';
import { isProcess, type KubeObject, type Workload, workloadsOf } from './objects.ts';

const ports = [53, 443, 465, 587, 4_318, 5_432, 5_671, 5_672, 6_379, 8_080];
const enginePorts: Readonly<Record<string, readonly number[]>> = {
  postgres: [5_432],
  rabbitmq: [5_671, 5_672],
  redis: [6_379],
};

const namespaces = {
  monitoring: { 'kubernetes.io/metadata.name': 'monitoring' },
  edge: { 'rushlight-edge': 'true' },
  engines: { 'rushlight-engines': 'true' },
  'kube-system': { 'kubernetes.io/metadata.name': 'kube-system' },
  stranger: { 'kubernetes.io/metadata.name': 'default' },
} as const;

type Arrow = { readonly from: string; readonly to: string; readonly port: number };
const written = ({ from, to, port }: Arrow): string => `${from} → ${to}:${port}`;

/** Which engines a workload asks. */
function enginesOf(name: string): string[] {
  if (name === 'databases') return ['postgres'];
  if (!(processNames as string[]).includes(name) || name === 'monitor') return [];
  const service = name as ServiceName;
  return [
    ...(processes[service].database ? ['postgres'] : []),
    'rabbitmq',
    ...(cacheUsers.includes(service) ? ['redis'] : []),
  ];
}

function expectedArrows(workloads: readonly Workload[], isProduction: boolean): Arrow[] {
  const own = workloads.filter(isProcess).map(({ name }) => name as ProcessName);
  const to = (from: string, others: readonly string[], port: number): Arrow[] =>
    others.map((other) => ({ from, to: other, port }));
  const services = own.filter((name) => name !== 'monitor');
  const ofEngine = (from: string, engine: string): Arrow[] => {
    const open = enginePorts[engine] ?? [];
    if (isProduction) return open.map((port) => ({ from, to: 'engines', port }));
    // The one of the laptop speaks without TLS.
    return open.filter((port) => port !== 5_671).map((port) => ({ from, to: engine, port }));
  };
  return [
    ...own.flatMap((name) => to(name, processes[name].calls, 8_080)),
    ...to('monitor', services, 8_080),
    ...services.flatMap((name) => to(name, ['monitor'], 4_318)),
    ...to('monitoring', own, 8_080),
    ...to('edge', ['gateway'], 8_080),
    ...workloads.flatMap(({ name }) => enginesOf(name).flatMap((engine) => ofEngine(name, engine))),
    ...workloads.flatMap(({ name }) => to(name, ['kube-system'], 53)),
    ...(isProduction
      ? ['notifications', 'monitor'].flatMap((name) =>
          [443, 465, 587].map((port) => ({ from: name, to: 'public', port })),
        )
      : []),
  ];
}

export function networkFindings(objects: readonly KubeObject[], isProduction: boolean): string[] {
  const workloads = workloadsOf(objects);
  const network = networkOf(objects);
  const here = workloads.map((workload): [string, Party] => [
    workload.name,
    { where: 'here', workload },
  ]);
  const outside: [string, Party][] = [
    ...Object.entries(namespaces).map(([name, labels]): [string, Party] => [
      name,
      { where: 'namespace', labels },
    ]),
    ['public', { where: 'public' }],
  ];
  const pairs = [
    ...here.flatMap((from) => [...here, ...outside].map((to) => [from, to] as const)),
    ...outside.flatMap((from) => here.map((to) => [from, to] as const)),
  ].filter(([[from], [to]]) => from !== to);
  const allowed = pairs.flatMap(([[from, sender], [to, receiver]]) =>
    ports
      .filter((port) => network.allows(sender, receiver, port))
      .map((port) => written({ from, to, port })),
  );
  const expected = expectedArrows(workloads, isProduction).map(written);
  return [
    ...allowed.filter((arrow) => !expected.includes(arrow)).map((arrow) => `${arrow} is open`),
    ...[...new Set(expected)]
      .filter((arrow) => !allowed.includes(arrow))
      .map((arrow) => `${arrow} is closed`),
  ];
}

// What each process finds in its environment: variables that it reads, with values that it takes, and
// secrets that somebody makes.

import { readConfig } from '@rushlight/chassis';
import { type ProcessName, processes, processNames } from '@rushlight/contracts';
import { z } from 'zod';
import { isProcess, type KubeObject, ofKind, type Workload, workloadsOf } from './objects.ts';
import type { Surroundings } from './surroundings.ts';

/** Those that ask the cache. */
export const cacheUsers: readonly ProcessName[] = ['gateway', 'identity'];

const fileSuffix = '_FILE';
const inline = /:\/\/[^/\s@]*:[^/\s@]+@|"d"\s*:|BEGIN [A-Z ]*PRIVATE KEY/;
const secretNames = /(PASSWORD|TOKEN|SECRET|_KEY|_URL)$/;
const addresses = /^(https?|postgres|amqps?|rediss?):\/\/[^@]+$/;

export function variableFindings(objects: readonly KubeObject[], around: Surroundings): string[] {
  const workloads = workloadsOf(objects);
  const names = workloads.filter(isProcess).map(({ name }) => name);
  return [
    ...processNames.filter((name) => !names.includes(name)).map((name) => `nobody runs ${name}`),
    ...objects
      .filter(({ kind }) => kind === 'Secret')
      .map(() => 'a Secret is part of the manifests'),
    ...workloads.flatMap((workload) =>
      [
        ...secretsOf(workload, around),
        ...(isProcess(workload) ? environmentOf(workload, objects, around) : []),
      ].map((what) => `${workload.kind} ${workload.name}: ${what}`),
    ),
  ];
}

/** What stands in it, by name; from ConfigMaps first. */
function variablesOf({ pod }: Workload, objects: readonly KubeObject[], found: string[]) {
  const [container] = pod.containers;
  const variables = new Map<string, string | undefined>();
  for (const { configMapRef } of container?.envFrom ?? []) {
    const map = objects.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === configMapRef?.name,
    );
    if (map === undefined) found.push(`there is no ConfigMap ${configMapRef?.name}`);
    for (const [name, value] of Object.entries(map?.data ?? {})) variables.set(name, value);
  }
  for (const { name, value } of container?.env ?? []) variables.set(name, value);
  return variables;
}

function environmentOf(
  workload: Workload,
  objects: readonly KubeObject[],
  around: Surroundings,
): string[] {
  const found: string[] = [];
  const name = workload.name as ProcessName;
  const variables = variablesOf(workload, objects, found);
  const [container] = workload.pod.containers;
  for (const [variable, value] of variables) {
    const meant = variable.endsWith(fileSuffix) ? variable.slice(0, -fileSuffix.length) : variable;
    if (!around.variables.get(name)?.has(meant)) found.push(`reads no variable ${variable}`);
    if (meant !== variable && fileOf(workload.pod, value ?? '', around) === undefined) {
      found.push(`nobody makes ${value}, where ${variable} is read`);
    }
    const isOpen = value !== undefined && value !== '' && meant === variable;
    if (isOpen && (inline.test(value) || (secretNames.test(variable) && !addresses.test(value)))) {
      found.push(`${variable} is written out`);
    }
  }
  if (container?.args?.[0] !== name || container.args.length > 1) {
    found.push(`starts ${container?.args?.join(' ')}`);
  }
  return [
    ...found,
    ...neededBy(name, variables),
    ...valuesOf(workload, variables, objects, around),
  ];
}

/** What the table of services says that it needs, and nothing of others. */
function neededBy(name: ProcessName, variables: ReadonlyMap<string, unknown>): string[] {
  const { database, extraDatabases } = processes[name];
  const wanted: readonly (readonly [string, boolean])[] = [
    ['RUSHLIGHT_DATABASE_URL_FILE', database],
    [
      'RUSHLIGHT_PROVIDER_DATABASE_URL_FILE',
      (extraDatabases as readonly string[]).includes('provider'),
    ],
    ['RUSHLIGHT_BUS_URL_FILE', name !== 'monitor'],
    ['RUSHLIGHT_CACHE_URL_FILE', cacheUsers.includes(name)],
    ['RUSHLIGHT_SERVICE_KEY_FILE', true],
    ['RUSHLIGHT_SERVICE_KEYS_FILE', true],
    ['RUSHLIGHT_METRICS_OPEN', true],
  ];
  return wanted
    .filter(([variable, isNeeded]) => variables.has(variable) !== isNeeded)
    .map(([variable, isNeeded]) => (isNeeded ? `lacks ${variable}` : `is given ${variable}`));
}

/** The process reads it as it will in the cluster, with secrets as `setup secrets` makes them. */
function valuesOf(
  { name, pod }: Workload,
  variables: ReadonlyMap<string, string | undefined>,
  objects: readonly KubeObject[],
  around: Surroundings,
): string[] {
  const environment = Object.fromEntries(
    [...variables].flatMap(([variable, value]) => {
      if (!variable.endsWith(fileSuffix)) return [[variable, value ?? undefined]];
      const text = fileOf(pod, value ?? '', around);
      return text === undefined ? [] : [[variable.slice(0, -fileSuffix.length), text]];
    }),
  ) as Record<string, string | undefined>;
  let config: ReturnType<typeof readConfig>['config'];
  try {
    ({ config } = readConfig(z.object({}), { ...environment, RUSHLIGHT_INSTANCE: `${name}-1` }));
  } catch (error) {
    return [(error as Error).message];
  }
  const writable = pod.containers[0]?.volumeMounts?.find(
    ({ mountPath }) => mountPath === config.dataFolder,
  );
  const services = ofKind<{ ports: { port: number }[] }>(objects, 'Service');
  const isThere = (url: string | URL): boolean => {
    const { hostname, port } = new URL(url);
    const service = services.find(({ metadata }) => metadata.name === hostname);
    return service?.spec.ports.some((open) => open.port === Number(port)) ?? false;
  };
  const urls = Object.entries(config.serviceUrls);
  const otlp = config.otlp?.endpoint;
  return [
    ...(config.service === name ? [] : [`calls itself ${config.service}`]),
    ...(config.listenHost === '0.0.0.0' ? [] : ['listens where nobody reaches it']),
    ...(pod.containers[0]?.ports?.some(({ containerPort }) => containerPort === config.listenPort)
      ? []
      : [`listens on ${config.listenPort}, which is none of its ports`]),
    ...(writable && writable.readOnly !== true ? [] : ['cannot write to RUSHLIGHT_DATA']),
    ...(config.serviceKey.kid === name ? [] : ['is given the key of another']),
    ...processNames
      .filter((other) => !config.serviceUrls[other])
      .map((other) => `knows no ${other}`),
    ...urls.flatMap(([other, [url = '']]) =>
      isThere(url) && new URL(url).hostname === other ? [] : [`no Service answers at ${url}`],
    ),
    ...(name !== 'monitor' && (otlp === undefined || !isThere(otlp)) ? ['sends no traces'] : []),
    ...(name === 'monitor' && otlp !== undefined ? ['sends traces to itself'] : []),
  ];
}

/** What a path of a pod holds, if it is in a Secret that is mounted. */
function fileOf(pod: Workload['pod'], path: string, around: Surroundings): string | undefined {
  const mount = pod.containers[0]?.volumeMounts?.find(({ mountPath }) =>
    path.startsWith(`${mountPath}/`),
  );
  const secret = pod.volumes?.find(({ name }) => name === mount?.name)?.secret?.secretName ?? '';
  const reader = secret.replace(/^rushlight-/, '');
  const file = path.slice((mount?.mountPath.length ?? 0) + 1);
  return around.secrets.get(reader)?.has(file)
    ? around.secretText(reader, file).trimEnd()
    : undefined;
}

/** Every Secret that is named is made by `setup secrets`, or explained to whoever makes it. */
function secretsOf({ name, pod }: Workload, { secrets, page }: Surroundings): string[] {
  const readerOf = (secret: string): string => secret.replace(/^rushlight-/, '');
  const allowed = name === 'databases' ? ['setup'] : [name, 'everybody'];
  const mounted = (pod.volumes ?? []).flatMap(({ secret }) => {
    if (secret === undefined) return [];
    const reader = readerOf(secret.secretName);
    if (!secrets.has(reader)) return [`nobody makes the Secret ${secret.secretName}`];
    return allowed.includes(reader) ? [] : [`is given ${secret.secretName}, which is not its own`];
  });
  const referenced = pod.containers
    .flatMap(({ env = [] }) => env)
    .flatMap(({ valueFrom }) => (valueFrom?.secretKeyRef ? [valueFrom.secretKeyRef] : []))
    .filter(({ name: secret, key, optional }) => {
      const isMade = secrets.get(readerOf(secret))?.has(key) ?? false;
      return (
        !isMade && !(optional && page.includes(`\`${secret}\``) && page.includes(`\`${key}\``))
      );
    });
  return [
    ...mounted,
    ...referenced.map(({ name: secret, key }) => `nobody makes ${key} of the Secret ${secret}`),
  ];
}

// The manifests in deploy/kubernetes: as each overlay writes them out, against the schemas of the API,
// the contracts, and what services read. No cluster is needed, and none was asked.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ProcessName, processes } from '@rushlight/contracts';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { networkFindings } from '../src/kubernetes/check-network.ts';
import { podFindings } from '../src/kubernetes/check-pods.ts';
import { referenceFindings, replicasOf } from '../src/kubernetes/check-references.ts';
import { variableFindings } from '../src/kubernetes/check-variables.ts';
import {
  type KubeObject,
  nameOf,
  ofKind,
  readObjects,
  workloadsOf,
} from '../src/kubernetes/objects.ts';
import { schemaFindings } from '../src/kubernetes/schema.ts';
import { openSurroundings, read } from '../src/kubernetes/surroundings.ts';
import { missingPrograms, runProgram } from '../src/programs.ts';
import { report } from '../src/report.ts';

const folder = new URL('../../deploy/kubernetes/', import.meta.url).pathname;
const overlays = readdirSync(join(folder, 'overlays'));
const around = openSurroundings();
afterAll(() => around.close());

const readOverlay = (name: string): KubeObject[] =>
  readObjects(readFileSync(join(folder, `rendered/${name}.yaml`), 'utf8'));

function findings(objects: readonly KubeObject[], overlay: string): string[] {
  return [
    ...objects.flatMap(schemaFindings),
    ...podFindings(objects, around),
    ...variableFindings(objects, around),
    ...referenceFindings(objects),
    ...networkFindings(objects, overlay === 'production'),
  ];
}

test('there are an overlay for a laptop and one for production', () => {
  expect(overlays.sort()).toEqual(['laptop', 'production']);
  expect(readOverlay('laptop').length).toBeGreaterThan(40);
  expect(readOverlay('production').length).toBeGreaterThan(50);
});

test.each(overlays)('nothing is wrong with %s', (overlay) => {
  expect(findings(readOverlay(overlay), overlay)).toEqual([]);
});

test('production has two of each service, no engines, no lab, and is watched', () => {
  const objects = readOverlay('production');
  const workloads = workloadsOf(objects);
  for (const workload of workloads.filter(
    ({ labels }) => labels['app.kubernetes.io/component'] === 'service',
  )) {
    expect(replicasOf(workload, objects), workload.name).toBeGreaterThanOrEqual(2);
    const { topologySpreadConstraints } = workload.pod as { topologySpreadConstraints?: object[] };
    expect(topologySpreadConstraints, workload.name).toHaveLength(2);
  }
  expect(workloads.filter(({ kind }) => kind === 'StatefulSet')).toEqual([]);
  const [common] = objects.filter(({ kind }) => kind === 'ConfigMap');
  expect(common?.data).toMatchObject({ RUSHLIGHT_LAB: 'false' });
  const kinds = new Set(objects.map(({ kind }) => kind));
  for (const kind of ['PodDisruptionBudget', 'ServiceMonitor', 'PrometheusRule', 'HTTPRoute']) {
    expect(kinds).toContain(kind);
  }
});

test('the page says how many connections production opens at most', () => {
  const autoscalers = ofKind<{ maxReplicas: number }>(
    readOverlay('production'),
    'HorizontalPodAutoscaler',
  );
  const stores = autoscalers.map(({ metadata, spec }) => {
    const { database, extraDatabases } = processes[metadata.name as ProcessName];
    return spec.maxReplicas * (Number(database) + extraDatabases.length);
  });
  const all = stores.reduce((sum, count) => sum + count * around.connectionsPerStore, 0);
  expect(around.page).toContain(`up to ${all} connections`);
});

test.each(overlays)(
  'everything of %s is in one namespace, which lets in no pod that may do more',
  (overlay) => {
    const objects = readOverlay(overlay);
    const [namespace] = objects.filter(({ kind }) => kind === 'Namespace');
    expect(namespace?.metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    const elsewhere = objects.filter(
      ({ kind, metadata }) =>
        kind !== 'Namespace' && metadata.namespace !== namespace?.metadata.name,
    );
    expect(elsewhere.map(nameOf)).toEqual([]);
  },
);

test('the engines of the laptop are those of compose', () => {
  type Compose = { services: Record<string, { image?: string }> };
  const { services } = parse(read('deploy/compose/compose.yml'), { merge: true }) as Compose;
  const engines = workloadsOf(readOverlay('laptop')).filter(({ kind }) => kind === 'StatefulSet');
  expect(engines.map(({ name }) => name).sort()).toEqual(['postgres', 'rabbitmq', 'redis']);
  for (const { name, pod } of engines) {
    expect(pod.containers[0]?.image).toBe(services[name]?.image);
  }
});

test('the image is used as its Dockerfile means it', () => {
  const dockerfile = read('Dockerfile');
  const user = Number(/^USER (\d+)/m.exec(dockerfile)?.[1]);
  const exposed = /^EXPOSE (.+)$/m.exec(dockerfile)?.[1]?.split(' ').map(Number);
  const objects = readOverlay('production');
  const workloads = workloadsOf(objects);
  for (const { name, pod } of workloads) {
    expect(pod.securityContext?.runAsUser, name).toBe(user);
    // Its entry point chooses the process.
    expect(pod.containers[0], name).not.toHaveProperty('command');
  }
  const monitor = workloads.find(({ name }) => name === 'monitor');
  expect(monitor?.pod.containers[0]?.ports?.map((port) => port.containerPort).sort()).toEqual(
    exposed?.sort(),
  );
  const [common] = objects.filter(({ kind }) => kind === 'ConfigMap');
  expect(dockerfile).toContain(`RUSHLIGHT_DATA=${common?.data?.['RUSHLIGHT_DATA']}`);
});

test('the Job finds the secrets of setup where it is told to look', () => {
  const job = workloadsOf(readOverlay('production')).find(({ kind }) => kind === 'Job');
  const [container] = job?.pod.containers ?? [];
  const [command, what, folder] = container?.args ?? [];
  expect([command, what]).toEqual(['setup', 'databases']);
  const mount = container?.volumeMounts?.find(({ mountPath }) => mountPath === `${folder}/setup`);
  const volume = job?.pod.volumes?.find(({ name }) => name === mount?.name);
  expect(volume?.secret?.secretName).toBe('rushlight-setup');
  expect([...(around.secrets.get('setup') ?? [])].sort()).toEqual(['kept.json', 'superuser-url']);
});

// --- What the checks find -------------------------------------------------------------------------

const change = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);
const inObject =
  (kind: string, name: string, edit: (text: string) => string) =>
  (objects: readonly KubeObject[]): KubeObject[] =>
    objects.flatMap((object) =>
      object.kind === kind && object.metadata.name === name
        ? readObjects(edit(stringify(object)))
        : [object],
    );
const without = (kind: string, name: string) => (objects: readonly KubeObject[]) =>
  objects.filter((object) => object.kind !== kind || object.metadata.name !== name);
const inMap = (edit: (text: string) => string) => (objects: readonly KubeObject[]) => {
  const [map] = objects.filter(({ kind }) => kind === 'ConfigMap');
  return inObject('ConfigMap', map?.metadata.name ?? '', edit)(objects);
};
const orders = (from: string | RegExp, to: string) =>
  inObject('Deployment', 'orders', change(from, to));

test.each([
  [
    'a field that the API does not know',
    orders('readinessProbe:', 'redinessProbe:'),
    'unknown field',
  ],
  [
    'a value of another type',
    orders('containerPort: 8080', 'containerPort: "http"'),
    'must be integer',
  ],
  ['another port', orders('containerPort: 8080', 'containerPort: 8081'), 'listens on 8081'],
  [
    'a probe of nothing',
    orders('path: /ready', 'path: /readyz'),
    'readinessProbe does not ask /ready',
  ],
  [
    'a probe that is missing',
    orders(/\n( *)livenessProbe:(\n\1 +.*)+/, ''),
    'has no livenessProbe',
  ],
  [
    'a variable that nobody reads',
    orders('RUSHLIGHT_BUS_URL_FILE', 'RUSHLIGHT_BUSS_URL_FILE'),
    'reads no variable',
  ],
  ['a file that nobody makes', orders('rushlight/database-url', 'rushlight/db-url'), 'nobody'],
  ['secrets of another', orders('rushlight-orders', 'rushlight-payments'), 'which is not its own'],
  [
    'a secret that is written out',
    orders('value: /run/secrets/rushlight/bus-url', 'value: amqp://a:b@c'),
    'nobody makes',
  ],
  [
    'a time that is too short',
    orders('GracePeriodSeconds: 20', 'GracePeriodSeconds: 10'),
    'is killed after 10 s',
  ],
  ['no limit of memory', orders(/memory: 512Mi/, 'ephemeral-storage: 1Gi'), 'limits no memory'],
  ['the newest image', orders(/rushlight:0[\d.]+/, 'rushlight:latest'), 'has no version'],
  [
    'a file system to write to',
    orders('readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false'),
    'readOnlyRootFilesystem',
  ],
  ['the user root', orders('runAsUser: 10001', 'runAsUser: 0'), 'runAsUser'],
  [
    'pods that nobody selects',
    inObject('Service', 'orders', change(/(selector:\n.*)orders/, '$1order')),
    'Service orders: selects 0 workloads',
  ],
  [
    'a service that is gone',
    without('Service', 'kitchen'),
    'no Service answers at http://kitchen:8080',
  ],
  [
    'a map that is gone',
    (objects: readonly KubeObject[]) => objects.filter(({ kind }) => kind !== 'ConfigMap'),
    'there is no ConfigMap',
  ],
  [
    'the lab in the place of a number',
    inMap(change('RUSHLIGHT_LISTEN_PORT: "8080"', 'RUSHLIGHT_LISTEN_PORT: lab')),
    'RUSHLIGHT_LISTEN_PORT',
  ],
  [
    'a password in a map',
    inMap(change('RUSHLIGHT_LOG_LEVEL: info', 'RUSHLIGHT_BUS_URL: amqp://a:b@c')),
    'is written out',
  ],
  ['an arrow too few', without('NetworkPolicy', 'orders'), 'orders → inventory:8080 is closed'],
  [
    'an arrow too many',
    inObject('NetworkPolicy', 'orders', change(/- kitchen/, '- payments')),
    'orders → kitchen:8080 is closed',
  ],
  ['everything open', without('NetworkPolicy', 'nothing'), 'is open'],
  [
    'pods that are spread among others',
    orders(/(labelSelector:\n\s+matchLabels:\n\s+)[\w./-]+: \w+/, '$1app: shop'),
    'spreads others',
  ],
  [
    'a budget of nobody',
    inObject('PodDisruptionBudget', 'orders', change(/(matchLabels:\n.*)orders/, '$1order')),
    'guards 0 workloads',
  ],
  [
    'a budget that never ends',
    inObject('PodDisruptionBudget', 'orders', change('maxUnavailable: 1', 'minAvailable: 2')),
    'ever be emptied',
  ],
  ['a scale of nobody', without('Deployment', 'orders'), 'scales no Deployment orders'],
  [
    'two of who has one volume',
    inObject('Deployment', 'monitor', change('replicas: 1', 'replicas: 2')),
    'shares its volume',
  ],
  [
    'a route past the gateway',
    inObject('HTTPRoute', 'rushlight', change('name: gateway', 'name: orders')),
    'opens orders',
  ],
  [
    'a kind that nobody knows',
    (objects: readonly KubeObject[]) => [
      ...objects,
      { apiVersion: 'v2', kind: 'Pot', metadata: { name: 'a' } },
    ],
    'no schema',
  ],
])('%s is found', (_, mutate, found) => {
  const sound = readOverlay('production');
  const mutated = mutate(sound);
  expect(mutated, 'something was changed').not.toEqual(sound);
  expect(findings(mutated, 'production').join('\n')).toContain(found);
});

// --- By programs, where they are ------------------------------------------------------------------

/** Why kubectl cannot do it here. */
function kubectlMissing(): string | undefined {
  const how = 'to have it: kubectl 1.27 or newer; Debian 13 has it in kubernetes-client';
  if (missingPrograms(['kubectl']).length > 0) return `kubectl is missing (${how})`;
  const { said } = runProgram('kubectl', ['version', '--client', '--output=json']);
  const [, major = '0'] = /"kustomizeVersion": "v(\d+)/.exec(said) ?? [];
  return Number(major) >= 5 ? undefined : `this kubectl has an older Kustomize than 5 (${how})`;
}
const why = kubectlMissing();
if (why !== undefined) report(`overlays as Kustomize makes them: not compared, because ${why}`);
const withKubectl = test.skipIf(why !== undefined);

const scratch = mkdtempSync(join(tmpdir(), 'rushlight-kustomize-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The objects that a command prints; there are more than a message of a test should show. */
function printedBy(command: string): KubeObject[] {
  const file = join(scratch, 'objects.yaml');
  const { status, said } = runProgram('sh', ['-c', `${command} > '${file}'`]);
  expect([status, said], command).toEqual([0, '']);
  return readObjects(readFileSync(file, 'utf8'));
}
const kustomize = (path: string): KubeObject[] => printedBy(`kubectl kustomize '${path}'`);

withKubectl.each(overlays)('%s is as Kustomize makes it', (overlay) => {
  const made = new Map(
    kustomize(join(folder, 'overlays', overlay)).map((object) => [nameOf(object), object]),
  );
  const committed = new Map(readOverlay(overlay).map((object) => [nameOf(object), object]));
  const how = 'run: deploy/kubernetes/render.sh';
  expect([...committed.keys()].sort(), how).toEqual([...made.keys()].sort());
  for (const [name, object] of made) expect(committed.get(name), `${name}; ${how}`).toEqual(object);
});

withKubectl('the base by itself is sound, too', () => {
  expect(kustomize(join(folder, 'base')).flatMap(schemaFindings)).toEqual([]);
});

withKubectl.each(readdirSync(join(folder, 'components')))('the component %s is', (component) => {
  const path = mkdtempSync(join(tmpdir(), 'rushlight-component-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const kustomization = { components: [join('..', '..', folder, 'components', component)] };
  writeFileSync(join(path, 'kustomization.yaml'), stringify(kustomization));
  const objects = kustomize(path);
  expect(objects.length).toBeGreaterThan(0);
  expect(objects.flatMap(schemaFindings)).toEqual([]);
});

withKubectl('secrets.sh makes every Secret of every reader, and puts nothing else anywhere', () => {
  const secrets = mkdtempSync(join(tmpdir(), 'rushlight-secrets-'));
  onTestFinished(() => rmSync(secrets, { recursive: true, force: true }));
  const setup = new URL('../../deploy/setup/src/main.ts', import.meta.url).pathname;
  runProgram(process.execPath, [
    setup,
    'secrets',
    secrets,
    '--postgres',
    'postgres://postgres:5432',
  ]);
  const objects = printedBy(`'${join(folder, 'secrets.sh')}' '${secrets}' --dry-run`);
  expect(objects.flatMap(schemaFindings)).toEqual([]);
  const made = objects.map(({ metadata, data }) => [metadata.name, Object.keys(data ?? {}).sort()]);
  const wanted = readdirSync(secrets).map((reader) => [
    `rushlight-${reader}`,
    readdirSync(join(secrets, reader)).sort(),
  ]);
  expect(made.sort()).toEqual(wanted.sort());
  const empty = runProgram('sh', [join(folder, 'secrets.sh'), scratch, '--dry-run']);
  expect(empty).toMatchObject({ status: 1, said: expect.stringContaining('holds no secrets') });
});

const promtool = missingPrograms(['promtool']);
if (promtool.length > 0)
  report('the rules for the operator: not read by promtool, which is missing');
test.skipIf(promtool.length > 0)('promtool reads the rules for the operator', () => {
  const [rules] = ofKind<object>(readOverlay('production'), 'PrometheusRule');
  const file = join(scratch, 'rules.yml');
  writeFileSync(file, stringify(rules?.spec));
  const { status, said } = runProgram('promtool', ['check', 'rules', file]);
  expect(status, said).toBe(0);
  expect(said).toMatch(/SUCCESS: \d{2,} rules found/);
});

test('every file of a kustomization is there', () => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const path of files.filter((name) => name.endsWith('kustomization.yaml'))) {
    const text = readFileSync(join(folder, path), 'utf8');
    for (const [, named = ''] of text.matchAll(/^ {2}- (?:path: )?([\w./-]+)$/gm)) {
      expect(existsSync(join(folder, path, '..', named)), `${path}: ${named}`).toBe(true);
    }
  }
});

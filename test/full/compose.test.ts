// The compose files, held against the code: every process, port, host, path, variable and file in
// them is one that exists. What Debian's docker-compose (1.29) can check of them, it checks.
//
// Newer than that program are two words of compose.yml, `name` and `include`: they are left out when
// it is asked, and the included files are given to it as files of their own.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '@rushlight/chassis';
import {
  type ProcessName,
  processes,
  processNames,
  serviceEnvironment,
} from '@rushlight/contracts';
import { readerGroups } from '@rushlight/setup';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import {
  composeFolder,
  environmentOf,
  environmentOfImage,
  filledIn,
  read,
  readCompose,
  rendered,
  root,
  variablesOf,
} from '../src/compose.ts';
import { missingPrograms } from '../src/programs.ts';
import { report } from '../src/report.ts';
import { settingsOfProcess } from '../src/settings.ts';

const files = ['compose.yml', 'observability.yml', 'observability-of-containers.yml'];
const compose = readCompose('compose.yml');
const services = Object.entries(compose.services);
const shop = processNames.map((name) => [name, compose.services[name]] as const);
/** Those that do one thing and end. */
const once = ['secrets', 'databases', 'ollama-model'];

const isMissing = missingPrograms(['docker-compose']).length > 0;
if (isMissing) {
  report(
    'docker-compose is missing, so it does not read the files (apt-get install docker-compose)',
  );
}
const withCompose = test.skipIf(isMissing);
/** Where Debian's package has the schema of the specification. */
const schemaFile = '/usr/lib/python3/dist-packages/compose/config/compose_spec.json';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-compose-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** As Debian's docker-compose can read it. */
function forOlder(text: string): string {
  return text.replace(/^name: .*\n/m, '').replace(/^include:\n(?: +.*\n)+/m, '');
}

withCompose('compose.yml is as the compose specification has it', () => {
  // Its `id`s are of an older draft.
  const schema = JSON.parse(readFileSync(schemaFile, 'utf8'), (key, value) =>
    (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value,
  );
  const ajv = new Ajv2019({ strict: false, validateFormats: false, allErrors: true });
  const isValid = ajv.compile(schema);
  for (const name of files) {
    const text = forOlder(filledIn(read(`deploy/compose/${name}`))).replace(
      /^ {8}bind:\n(?: {10}.*\n)+/m,
      '',
    );
    expect(isValid(parse(text, { merge: true })), ajv.errorsText(isValid.errors)).toBe(true);
  }
  expect(isValid({ services: { edge: { image: 'traefik', prots: [] } } })).toBe(false);
});

const profileSets = [[], ['observability'], ['ai'], ['observability', 'ai']];
withCompose.each(profileSets.map((profiles) => ({ profiles })))(
  'docker-compose reads all files with the profiles $profiles',
  ({ profiles }) => {
    const folder = temporaryFolder();
    for (const name of files) {
      const older = forOlder(read(`deploy/compose/${name}`));
      writeFileSync(join(folder, name), older.replace(/^ {8}bind:\n(?: {10}.*\n)+/m, ''));
    }
    const { status, stdout, stderr } = spawnSync(
      'docker-compose',
      [
        ...files.flatMap((name) => ['-f', join(folder, name)]),
        ...['--project-directory', composeFolder, '--project-name', 'rushlight'],
        ...['--env-file', join(composeFolder, '.env.example')],
        ...profiles.flatMap((name) => ['--profile', name]),
        'config',
      ],
      { env: { ...process.env, COMPOSE_PROFILES: '' }, encoding: 'utf8', timeout: 110_000 },
    );
    expect(status, stderr).toBe(0);
    const resolved = parse(stdout) as typeof compose;
    // This release shows the services of all profiles, whichever are asked for.
    const wanted = files.flatMap((name) => Object.keys(readCompose(name).services));
    expect(Object.keys(resolved.services).sort()).toEqual([...new Set(wanted)].sort());
    // The container's own folder has taken the place of the launcher's.
    expect(stdout.includes('no-launcher')).toBe(true);
    expect(stdout).not.toContain('.rushlight');
  },
);

test('the files that are included exist, and Compose merges them in this order', () => {
  const { include } = parse(read('deploy/compose/compose.yml')) as {
    include: { path: string[] }[];
  };
  expect(include).toEqual([{ path: files.slice(1) }]);
});

test('every process of the table is there, and is told what it needs and no more', () => {
  for (const [name, service] of shop) {
    expect(service?.command, name).toEqual([name]);
    const given = Object.keys(service?.environment ?? {});
    const { database, extraDatabases } = processes[name];
    const needed: Record<string, boolean> = {
      RUSHLIGHT_DATABASE_URL_FILE: database,
      RUSHLIGHT_PROVIDER_DATABASE_URL_FILE: (extraDatabases as readonly string[]).length > 0,
      RUSHLIGHT_BUS_URL_FILE: name !== 'monitor',
      RUSHLIGHT_CACHE_URL_FILE: ['gateway', 'identity'].includes(name),
      RUSHLIGHT_SERVICE_KEY_FILE: true,
      RUSHLIGHT_SERVICE_KEYS_FILE: true,
      OTEL_EXPORTER_OTLP_ENDPOINT: name !== 'monitor',
    };
    for (const [variable, isNeeded] of Object.entries(needed)) {
      expect(given.includes(variable), `${name} and ${variable}`).toBe(isNeeded);
    }
    expect(service?.group_add, name).toEqual([String(readerGroups[name])]);
    expect(service?.user, 'the image says who').toBeUndefined();
  }
});

test('every variable is one that the process reads, and every setting can be given', () => {
  // Said by the image or by this file, or of no use in a container.
  const notAsked = ['CONSOLE', 'TRUST_PROXY', 'OTLP_PORT', 'PRIVATE_TARGETS', 'LOG_FOLDER'];
  for (const [name, service] of shop) {
    const given = Object.keys(service?.environment ?? {}).map((one) => one.replace(/_FILE$/, ''));
    const own = settingsOfProcess(name);
    const known = [...Object.keys(serviceEnvironment), ...own];
    expect(known, name).toEqual(expect.arrayContaining(given));
    const missing = own.filter(
      (one) => !given.includes(one) && !notAsked.some((end) => one.endsWith(end)),
    );
    expect(missing, name).toEqual([]);
  }
});

/** Everything that `setup secrets` makes when it is called as the compose file calls it. */
function makeSecrets(): string {
  const folder = temporaryFolder();
  const [setup, ...words] = compose.services['secrets']?.command ?? [];
  expect(setup).toBe('setup');
  const given = words.map((word) => (word === '/run/rushlight' ? folder : word));
  execFileSync(process.execPath, [`${root}deploy/setup/src/main.ts`, ...given]);
  return folder;
}

test('each process reads its configuration as it is given, with the secrets that are made', () => {
  const folder = makeSecrets();
  for (const [name, service] of shop) {
    if (service === undefined) continue;
    const given = { ...environmentOfImage(), ...environmentOf(service) };
    const here = Object.entries(given).map(([variable, value]) => [
      variable,
      value.replace('/run/rushlight', folder),
    ]);
    const { config } = readConfig(z.object({}), Object.fromEntries(here));
    expect(config.service).toBe(name);
    expect([config.listenHost, config.listenPort]).toEqual(['0.0.0.0', 8080]);
    expect(config.serviceKey.kid).toBe(name);
    expect(config.lab).toBe(false);
    expect(Object.keys(config.serviceUrls).sort()).toEqual([...processNames].sort());
    for (const [other, urls] of Object.entries(config.serviceUrls)) {
      expect(urls, 'Docker balances over replicas by name').toEqual([`http://${other}:8080`]);
    }
    for (const url of [config.databaseUrl, config.busUrl, config.cacheUrl]) {
      if (url !== undefined) expectEngine(new URL(url));
    }
    if (config.otlp) expect(config.otlp.endpoint.href).toBe('http://monitor:4318/');
    // Where it writes is a volume or memory.
    const writable = [...(service.volumes ?? []), ...(service.tmpfs ?? [])].map(String);
    expect(writable.some((one) => one.includes(config.dataFolder))).toBe(true);
  }
});

const enginePorts: Record<string, string> = { postgres: '5432', rabbitmq: '5672', redis: '6379' };

function expectEngine({ hostname, port }: URL): void {
  expect(Object.keys(compose.services)).toContain(hostname);
  expect(port).toBe(enginePorts[hostname]);
}

test('engines read secrets that are made, by their groups', () => {
  const folder = makeSecrets();
  const { postgres, rabbitmq, redis } = compose.services;
  const paths = [
    [postgres, environmentOf(postgres ?? expect.fail())['POSTGRES_PASSWORD_FILE']],
    [rabbitmq, environmentOf(rabbitmq ?? expect.fail())['RABBITMQ_CONFIG_FILES']],
    [redis, redis?.command?.[1]],
  ] as const;
  for (const [index, [service, path = '']] of paths.entries()) {
    const reader = Object.keys(enginePorts)[index] as 'postgres';
    expect(service?.group_add).toEqual([String(readerGroups[reader])]);
    expect(path.startsWith(`/run/rushlight/${reader}`)).toBe(true);
    expect(existsSync(path.replace('/run/rushlight', folder))).toBe(true);
  }
  expect(readdirSync(join(folder, 'rabbitmq')).every((name) => name.endsWith('.conf'))).toBe(true);
  expect(compose.services['secrets']?.group_add?.map(Number).sort()).toEqual(
    Object.values(readerGroups).sort(),
  );
  expect(read('deploy/rabbitmq/rabbitmq.conf')).toContain('listeners.tcp.default = 5672');
  expect(rabbitmq?.labels?.['rushlight.metrics-port']).toBe('15692');
  expect(read('deploy/rabbitmq/enabled_plugins')).toContain('rabbitmq_prometheus');
});

test('no secret stands in a file', () => {
  for (const name of [...files, '.env.example']) {
    const text = read(`deploy/compose/${name}`);
    expect(text).not.toMatch(/:\/\/[^/\s@$]+:[^/\s@$]+@/);
    expect(text).not.toMatch(
      /(PASSWORD|TOKEN|SECRET)\w*[=:] *[^\s$]*(?<!_FILE: [^\s]*)[a-z0-9]{8,}/,
    );
  }
});

test.each(services)('%s is bounded, without rights, and asked how it is', (name, service) => {
  expect(service.read_only).toBe(true);
  expect(service.cap_drop).toEqual(['ALL']);
  expect(service.security_opt).toContain('no-new-privileges:true');
  expect(service.mem_limit).toMatch(/^\d+[mg]$/);
  expect(Number(service.cpus)).toBeGreaterThan(0);
  expect(service.pids_limit).toBeGreaterThan(0);
  expect(service.logging?.options['max-size']).toBe('10m');
  expect(service.restart).toMatch(once.includes(name) ? /^(no|on-failure)$/ : /^unless-stopped$/);
  if (once.includes(name)) expect(service.healthcheck).toEqual({ disable: true });
  else expect(service.healthcheck?.test?.[0]).toMatch(/^CMD/);
  // Root only where a volume that is new is root's.
  expect(service.user?.startsWith('0') ?? false).toBe(/^(edge|ollama)/.test(name));
  if (service.build === undefined)
    expect(service.image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+(-\w+)?$|^postgres:\d+\.\d+-\w+$/);
});

test('the health of a process is asked where it answers', () => {
  const operations = [...read('chassis/src/http/operations.ts').matchAll(/app\.get\('(\/\w+)'/g)];
  const [, asked = ''] = /GET (\/\w+) HTTP/.exec(read('deploy/image/is-ready')) ?? [];
  expect(operations.map(([, path]) => path)).toContain(asked);
  const command = ['/opt/rushlight/deploy/image/is-ready'];
  for (const [, service] of shop) expect(service?.healthcheck?.test).toEqual(['CMD', ...command]);
  expect(read('Dockerfile')).toContain(`CMD ${JSON.stringify(command)}`);
  const { RUSHLIGHT_LISTEN_PORT: port } = environmentOfImage();
  for (const [name, service] of shop) {
    expect(service?.labels).toEqual({ 'rushlight.service': name, 'rushlight.metrics-port': port });
  }
});

test('only the edge can be reached, and engines only by who needs them', () => {
  for (const [name, { ports, networks = ['default'], network_mode: mode }] of services) {
    expect(ports !== undefined, name).toBe(name === 'edge');
    const isEngine = name in enginePorts || name === 'databases';
    if (isEngine) expect(networks, name).toEqual(['engines']);
    if (mode === undefined)
      for (const one of networks) expect(compose.networks).toHaveProperty(one);
  }
  expect(compose.networks?.['engines']).toEqual({ internal: true });
  const onEdge = services.filter(([, { networks }]) => networks?.includes('edge'));
  expect(onEdge.map(([name]) => name)).toEqual(['edge', 'gateway']);
  expect(
    read('deploy/compose/compose.yml').match(/"\$\{RUSHLIGHT_BIND:-127\.0\.0\.1\}:/g),
  ).toHaveLength(2);
});

test('everybody waits for those whom it needs, and no more', () => {
  const conditionOf = (name: string): string =>
    once.includes(name) ? 'service_completed_successfully' : 'service_healthy';
  for (const [name, { depends_on: needs = {} }] of services) {
    for (const [other, { condition }] of Object.entries(needs)) {
      expect(compose.services, `${name} waits for ${other}`).toHaveProperty(other);
      expect(condition).toBe(conditionOf(other));
    }
    const isService = processNames.includes(name as ProcessName) && name !== 'monitor';
    if (isService)
      expect(Object.keys(needs).sort()).toEqual(['databases', 'postgres', 'rabbitmq', 'redis']);
  }
  expect(Object.keys(compose.services['monitor']?.depends_on ?? {})).toEqual(['secrets']);
});

test('what is mounted exists, and every volume is used', () => {
  const mounted = services.flatMap(([, { volumes = [] }]) => volumes.map(String));
  const sources = mounted.map((volume) => volume.split(':')[0] ?? '');
  for (const source of sources.filter((one) => one.startsWith('.'))) {
    expect(existsSync(join(composeFolder, source)), source).toBe(true);
  }
  const named = sources.filter((one) => !one.startsWith('.'));
  expect([...new Set(named)].sort()).toEqual(Object.keys(compose.volumes ?? {}).sort());
});

type Router = {
  entryPoints: string[];
  middlewares: string[];
  service: string;
  tls?: { certResolver?: string; options: string };
};

test.each(['off', 'letsencrypt', 'own'])('the edge with TLS %s', (mode) => {
  const { edge } = compose.services;
  const given = { ...environmentOf(edge ?? expect.fail()), RUSHLIGHT_TLS: mode };
  const text = rendered(read('deploy/traefik/shop.yml.template'), given);
  expect(text).not.toMatch(/\{\{|\}\}/);
  const { http, tls } = parse(text);
  const command = edge?.command?.join('\n') ?? '';
  for (const { entryPoints, middlewares, service, tls: own } of Object.values<Router>(
    http.routers,
  )) {
    for (const point of entryPoints) expect(command).toContain(`--entrypoints.${point}.address=`);
    for (const one of middlewares) expect(http.middlewares).toHaveProperty(one);
    expect(http.services).toHaveProperty(service);
    if (own?.certResolver) expect(command).toContain(`certificatesresolvers.${own.certResolver}.`);
    if (own) expect(tls.options).toHaveProperty(own.options);
  }
  expect(http.routers.shop.entryPoints).toEqual([mode === 'off' ? 'web' : 'websecure']);
  expect('to-https' in http.routers).toBe(mode !== 'off');
  expect(http.services.gateway.loadBalancer.servers).toEqual([{ url: 'http://gateway:8080' }]);
  const operations = [...read('chassis/src/http/operations.ts').matchAll(/app\.get\('(\/\w+)'/g)];
  for (const [, path] of operations) expect(http.routers.shop.rule).toContain(`!Path(\`${path}\`)`);
  expect(http.middlewares.pace.rateLimit).toMatchObject({ average: 500, burst: 1000 });
  expect(command).not.toContain('--api');
  const mounts = edge?.volumes?.map((volume) => String(volume).split(':')[1]);
  expect(mounts).toContain('/etc/traefik/shop.yml');
  if (mode === 'own') {
    for (const file of Object.values<string>(tls.certificates[0])) {
      expect(mounts).toContain(file.slice(0, file.lastIndexOf('/')));
    }
  }
});

test('.env.example names the variables of all files, and no others', () => {
  const named = [...read('deploy/compose/.env.example').matchAll(/^(\w+)=/gm)].map(
    ([, name = '']) => name,
  );
  const used = files.flatMap(variablesOf);
  expect(named.toSorted()).toEqual([...new Set([...used, 'COMPOSE_PROFILES'])].sort());
  expect(new Set(named).size).toBe(named.length);
});

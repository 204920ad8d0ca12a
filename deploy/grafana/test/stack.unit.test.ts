// The files of the stack, held against each other: every host, port, file and variable that one of
// them names is one that another one has. Programs whose own checkers can be had check theirs in the
// full suite.

import { existsSync, readFileSync } from 'node:fs';
import { processNames } from '@rushlight/contracts';
import { alertNames, inhibitions } from '@rushlight/monitor/rules';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { dataSources } from '../src/data-sources.ts';

const deploy = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, deploy), 'utf8');

type Service = {
  image: string;
  profiles: string[];
  ports?: string[];
  volumes?: (string | { type: string; source: string; target: string })[];
  command?: string[];
  environment?: Record<string, string>;
  network_mode?: string;
  mem_limit?: string;
  restart?: string;
  healthcheck?: { test: string[] };
  depends_on?: Record<string, unknown>;
};
const composeText = read('compose/observability.yml');
const compose: { services: Record<string, Service>; volumes: Record<string, null> } = parse(
  composeText,
  { merge: true },
);
const services = Object.entries(compose.services);
const stack = services.filter(([, { profiles }]) => profiles.includes('stack'));
const agent = services.filter(([, { profiles }]) => !profiles.includes('stack'));
const loki = parse(read('loki/loki.yml'));
const tempo = parse(read('tempo/tempo.yml'));
const alertmanager = parse(read('alertmanager/alertmanager.yml'));
const prometheus = parse(read('prometheus/prometheus.yml'));
const sources = parse(read('grafana/provisioning/datasources/rushlight.yml'));
const alloy = read('alloy/config.alloy');

/** Where each part of the stack listens in the network of the compose file. */
function portsOf(name: string): number[] {
  const { ports = [], healthcheck } = compose.services[name] ?? expect.fail(`no service ${name}`);
  const published = ports.map((port) => Number(port.split(':').at(-1)));
  const asked = /127\.0\.0\.1:(\d+)/.exec(healthcheck?.test.join(' ') ?? '')?.[1];
  const configured: Record<string, number> = { tempo: tempo.server.http_listen_port };
  return [
    ...published,
    ...[asked, configured[name]].flatMap((port) => (port ? [Number(port)] : [])),
  ];
}

function expectAddress(url: string): void {
  const { hostname, port } = new URL(url);
  expect(portsOf(hostname), url).toContain(Number(port));
}

test.each(services)('%s is pinned, bounded, and asked how it is', (name, service) => {
  expect(service.image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+(-\w+)?$/);
  expect(service.mem_limit).toMatch(/^\d+[mg]$/);
  expect(service.restart).toBe('unless-stopped');
  expect(service.profiles.length).toBeGreaterThan(0);
  // One has no shell in its image, the other's image has a check of its own.
  if (!['tempo', 'cadvisor'].includes(name)) expect(service.healthcheck?.test[0]).toBe('CMD');
  for (const other of Object.keys(service.depends_on ?? {})) {
    expect(Object.keys(compose.services)).toContain(other);
  }
});

test.each(services)('%s mounts what exists', (_, { volumes = [] }) => {
  for (const volume of volumes) {
    const source = typeof volume === 'string' ? (volume.split(':')[0] ?? '') : volume.source;
    if (source.startsWith('../')) {
      expect(existsSync(new URL(`compose/${source}`, deploy)), source).toBe(true);
    } else if (!source.startsWith('/') && !source.startsWith('$')) {
      expect(Object.keys(compose.volumes)).toContain(source);
    }
  }
});

test('every named volume is used', () => {
  const used = services.flatMap(([, { volumes = [] }]) =>
    volumes.flatMap((volume) => (typeof volume === 'string' ? [volume.split(':')[0]] : [])),
  );
  expect(used).toEqual(expect.arrayContaining(Object.keys(compose.volumes)));
});

test('what watches listens on the one address, what stands beside the shop on the loopback', () => {
  for (const [name, { ports = [] }] of stack) {
    expect(ports.length, name).toBeGreaterThan(0);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: so it stands in the file
    for (const port of ports) expect(port, name).toContain('${RUSHLIGHT_STACK:-127.0.0.1}:');
  }
  for (const [name, { ports = [], network_mode: network }] of agent) {
    if (network !== 'host') expect(ports.length, name).toBeGreaterThan(0);
    for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:/);
  }
});

test('.env.example names the variables of the compose file', () => {
  const used = [...composeText.matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, name]) => name);
  const named = [...read('compose/.env.example').matchAll(/^(\w+)=/gm)].map(([, name]) => name);
  // Further ones are of compose.yml (test/full/compose.test.ts).
  expect(named).toEqual(expect.arrayContaining(used));
  const known = services.flatMap(([, { profiles }]) => profiles);
  expect(known).toContain(/^COMPOSE_PROFILES=(\w+)$/m.exec(read('compose/.env.example'))?.[1]);
});

test('Alertmanager is given every variable that its start reads', () => {
  const wanted = [...read('alertmanager/start.sh').matchAll(/\$\(value (\w+)\)/g)].map(
    ([, name]) => `RUSHLIGHT_ALERTS_${name}`,
  );
  expect(wanted.length).toBeGreaterThan(5);
  expect(Object.keys(compose.services['alertmanager']?.environment ?? {}).sort()).toEqual(
    wanted.sort(),
  );
});

test('Prometheus scrapes addresses of the stack, and reads files that are mounted', () => {
  type Sd = { names: string[]; port: number };
  type Job = { job_name: string; dns_sd_configs?: Sd[] };
  const jobs: Job[] = prometheus.scrape_configs;
  const found = jobs.flatMap(({ dns_sd_configs: names = [] }) => names);
  for (const { names, port } of [
    ...found,
    ...prometheus.alerting.alertmanagers[0].dns_sd_configs,
  ]) {
    for (const name of names) expectAddress(`http://${name}:${port}`);
  }
  const scraped = [...found.flatMap(({ names }) => names), 'prometheus'];
  expect(scraped.sort()).toEqual(stack.map(([name]) => name).sort());
  for (const file of prometheus.rule_files) {
    expect(existsSync(new URL(`prometheus/${file}`, deploy))).toBe(true);
    expect(compose.services['prometheus']?.volumes).toContain(
      `../prometheus/${file}:/etc/prometheus/${file}:ro`,
    );
  }
});

test('configurations are mounted where the commands read them', () => {
  for (const [name, { command = [], volumes = [] }] of services) {
    const paths = command.join(' ').match(/\/etc\/[\w./-]+/g) ?? [];
    const mounted = volumes.map((volume) =>
      typeof volume === 'string' ? volume.split(':')[1] : volume.target,
    );
    for (const path of paths) expect(mounted, name).toContain(path);
  }
});

test('Loki and Tempo listen where others look for them', () => {
  expectAddress(`http://loki:${loki.server.http_listen_port}`);
  const { http } = tempo.distributor.receivers.otlp.protocols;
  expectAddress(`http://tempo:${http.endpoint.split(':').at(-1)}`);
  for (const { url } of tempo.metrics_generator.storage.remote_write) expectAddress(url);
  expect(compose.services['prometheus']?.command).toContain('--web.enable-remote-write-receiver');
});

test('the data sources are parts of the stack, and lead to each other', () => {
  const uids: string[] = sources.datasources.map(({ uid }: { uid: string }) => uid);
  for (const { url } of sources.datasources) expectAddress(url);
  const links = JSON.stringify(sources).match(/"datasourceUid":"(\w+)"/g) ?? [];
  expect(links.length).toBeGreaterThan(5);
  for (const link of links) expect(uids).toContain(JSON.parse(`{${link}}`).datasourceUid);
  for (const { uid, name } of Object.values(dataSources)) {
    expect(sources.datasources).toContainEqual(expect.objectContaining({ uid, name }));
  }
});

test('Grafana finds the dashboards, and lets nobody in without a name', () => {
  const [{ options }] = parse(read('grafana/provisioning/dashboards/rushlight.yml')).providers;
  const { volumes, environment = {} } = compose.services['grafana'] ?? expect.fail();
  expect(volumes).toContain(`../grafana/dashboards:${options.path}:ro`);
  expect(environment['GF_AUTH_ANONYMOUS_ENABLED']).toBe('false');
  const home = environment['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
  expect(existsSync(new URL(`grafana/dashboards/${home.split('/').at(-1)}`, deploy))).toBe(true);
});

test('Alloy sends to ports that the stack publishes', () => {
  const published = Object.fromEntries(
    stack.flatMap(([name, { ports = [] }]) =>
      ports.map((port) => [port.replace(/^\$\{[^}]+\}:/, '').split(':')[0], name]),
    ),
  );
  const sent = [...alloy.matchAll(/sys\.env\("(\w+)"\), "127\.0\.0\.1"\) \+ ":(\d+)([\w/]*)"/g)];
  expect(sent.map(([, variable]) => variable)).toEqual(sent.map(() => 'RUSHLIGHT_STACK'));
  expect(sent.map(([, , port = '', path]) => `${published[port]}${path}`).sort()).toEqual(
    ['loki/loki/api/v1/push', 'loki/otlp', 'prometheus/api/v1/write', 'tempo'].sort(),
  );
  const given = Object.keys(compose.services['alloy']?.environment ?? {});
  for (const [, name] of alloy.matchAll(/sys\.env\("(\w+)"\)/g)) expect(given).toContain(name);
});

test("Alloy's parts are joined: each exists, and each is used", () => {
  const made = [...alloy.matchAll(/^([a-z_.]+) "(\w+)" \{$/gm)].map(
    ([, kind, name]) => `${kind}.${name}`,
  );
  const used = [
    ...alloy.matchAll(/((?:[a-z_]+\.){2,}\w+)\.(?:receiver|input|output|targets)\b/g),
  ].map(([, part]) => part ?? '');
  expect(made.length).toBeGreaterThan(15);
  for (const part of used) expect(made).toContain(part);
  const ends = /^(prometheus\.scrape|loki\.source|otelcol\.receiver)\./;
  expect(made.filter((part) => !ends.test(part) && !used.includes(part))).toEqual([]);
  for (const [open, close] of ['{}', '[]', '()'] as const) {
    expect(alloy.split(open ?? '').length).toBe(alloy.split(close ?? '').length);
  }
});

test('what Alloy scrapes beside the shop listens there', () => {
  type Target = { targets: string[]; labels: Record<string, string> };
  const targets: Target[] = JSON.parse(read('alloy/targets/beside.json'));
  for (const { targets: addresses, labels } of targets) {
    const { service = '', __profile: profile } = labels;
    expect(processNames).not.toContain(service);
    // The broker answers by itself.
    if (service === 'rabbitmq') continue;
    const {
      ports = [],
      command = [],
      environment = {},
      profiles,
    } = compose.services[service] ?? expect.fail(service);
    const said = [...ports, ...command, ...Object.values(environment)].join(' ');
    expect(said).toContain(addresses[0]);
    expect(profiles).toContain(profile ?? 'agent');
  }
  const exporters = agent.map(([name]) => name).filter((name) => name !== 'alloy');
  expect(targets.map(({ labels }) => labels['service'])).toEqual(expect.arrayContaining(exporters));
});

type Matched = (name: string) => boolean;
function alertOf([matcher = '']: string[]): Matched {
  const equal = /^alertname = (\w+)$/.exec(matcher)?.[1];
  const pattern = /^alertname =~ "(.+)"$/.exec(matcher)?.[1];
  const matches = new RegExp(`^(?:${pattern ?? equal ?? expect.fail(matcher)})$`);
  return (name) => matches.test(name);
}

test('Alertmanager holds back what the monitor holds back', () => {
  type Rule = { source_matchers: string[]; target_matchers: string[]; equal: string[] };
  const rules = (alertmanager.inhibit_rules as Rule[]).map((rule) => ({
    source: alertOf(rule.source_matchers),
    target: alertOf(rule.target_matchers),
    equal: rule.equal,
  }));
  for (const source of alertNames) {
    for (const target of alertNames) {
      const ours = inhibitions.filter(
        (one) => one.source === source && one.targets.includes(target),
      );
      // Objectives are told apart by the label that both have to share.
      const theirs = rules.filter((rule) => rule.source(source) && rule.target(target));
      const isSame = source.replace(/BurnRate.*/, '') === target.replace(/BurnRate.*/, '');
      const expected = isSame || !theirs[0]?.equal.includes('slo') ? theirs : [];
      expect(ours.length > 0, `${source} → ${target}`).toBe(expected.length > 0);
      if (ours[0]) expect(theirs[0]?.equal).toEqual(ours[0].equal);
    }
  }
});

// The files of the stack, read by the programs that they are for, as far as Debian has them.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@rushlight/chassis/testing';
import { request } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { missingPrograms, runProgram, startProgram } from '../src/programs.ts';
import { report } from '../src/report.ts';

const deploy = new URL('../../deploy/', import.meta.url).pathname;

function whereThereIs(programs: readonly string[], what: string) {
  const missing = missingPrograms(programs);
  if (missing.length > 0) report(`${what}: not run, because ${missing.join(', ')} is missing`);
  return test.skipIf(missing.length > 0);
}
const withPrometheus = whereThereIs(['promtool'], 'the check of prometheus.yml');
const withAlertmanager = whereThereIs(['amtool', 'prometheus-alertmanager'], 'Alertmanager');
const withCompose = whereThereIs(['docker-compose'], 'the check of the compose file');

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-stack-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

withPrometheus('Prometheus reads its configuration, and the rules in it', () => {
  const { status, said } = runProgram('promtool', ['check', 'config', 'prometheus.yml'], {
    cwd: join(deploy, 'prometheus'),
  });
  expect(said).toContain('1 rule files found');
  expect(status, said).toBe(0);
});

const slack = { RUSHLIGHT_ALERTS_SLACK_URL: 'http://127.0.0.1:9/services/secret-of-slack' };
const mail = {
  RUSHLIGHT_ALERTS_SMTP_HOST: 'mail.example.org:587',
  RUSHLIGHT_ALERTS_MAIL_TO: 'on-call@example.org',
};
const login = {
  RUSHLIGHT_ALERTS_SMTP_USER: "o'hara",
  RUSHLIGHT_ALERTS_SMTP_PASSWORD: 'secret-of-mail',
};

/** Alertmanager's configuration as `start.sh` makes it of these variables. */
function rendered(env: Record<string, string>): { file: string; text: string; said: string } {
  const folder = temporaryFolder();
  const { status, said } = runProgram('sh', [join(deploy, 'alertmanager/start.sh')], {
    env: { ...env, FOLDER: folder, RENDER_ONLY: 'true' },
  });
  expect(status, said).toBe(0);
  const file = join(folder, 'alertmanager.yml');
  return { file, text: readFileSync(file, 'utf8'), said };
}

withAlertmanager.each([
  ['nothing', {}, 'nobody'],
  ['Slack', slack, 'tells: slack\n'],
  ['mail', mail, 'tells: mail\n'],
  ['all of it', { ...slack, ...mail, ...login }, 'tells: slack mail login\n'],
  ['half of mail', { RUSHLIGHT_ALERTS_SMTP_HOST: 'mail:25' }, 'it is off'],
])('Alertmanager reads what is made of %s', (_, env, told) => {
  const { file, text, said } = rendered(env);
  expect(said).toContain(told);
  expect(text).not.toMatch(/@[A-Z_]+@|#(slack|mail|login)#|secret-of/);
  const { status, said: checked } = runProgram('amtool', ['check-config', file]);
  expect(status, checked).toBe(0);
});

withAlertmanager('secrets come from files too', () => {
  const secret = join(temporaryFolder(), 'slack');
  writeFileSync(secret, 'http://127.0.0.1:9/from-a-file');
  const { file } = rendered({ RUSHLIGHT_ALERTS_SLACK_URL_FILE: secret });
  expect(readFileSync(file.replace('alertmanager.yml', 'slack-url'), 'utf8')).toContain('from-a-f');
});

withAlertmanager.each([
  ['page', 'page'],
  ['ticket', 'ticket'],
])('an alert of severity %s goes to %s', (severity, receiver) => {
  const { file } = rendered({});
  const options = ['config', 'routes', 'test', `--config.file=${file}`, `severity=${severity}`];
  const { status, said } = runProgram('amtool', [...options, 'alertname=HighCPU']);
  expect(status, said).toBe(0);
  expect(said.split('\n')[0]).toBe(receiver);
});

/** An Alertmanager on a configuration, and its URL. */
async function startAlertmanager(file: string) {
  const url = `http://127.0.0.1:${await freePort()}`;
  const program = await startProgram(
    'prometheus-alertmanager',
    [
      `--config.file=${file}`,
      `--storage.path=${temporaryFolder()}`,
      `--web.listen-address=${new URL(url).host}`,
      '--cluster.listen-address=',
    ],
    { url: `${url}/-/ready` },
  );
  onTestFinished(() => program[Symbol.asyncDispose]());
  const fire = async (): Promise<void> => {
    const { statusCode, body } = await request(`${url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([
        {
          labels: { alertname: 'ServiceDown', service: 'orders', severity: 'page' },
          annotations: {
            summary: 'orders does not answer',
            runbook: 'docs/runbooks/ServiceDown.md',
          },
        },
      ]),
    });
    expect([statusCode, await body.text()]).toEqual([200, '']);
  };
  return { url, program, fire };
}

withAlertmanager('without anybody to tell, alerts are shown and nothing breaks', async () => {
  const { url, program, fire } = await startAlertmanager(rendered({}).file);
  await fire();
  await eventually('the alert is shown as active', async () => {
    const { body } = await request(`${url}/api/v2/alerts`);
    const [alert] = (await body.json()) as { status: { state: string } }[];
    return alert?.status.state === 'active';
  });
  expect(program.isRunning).toBe(true);
});

withAlertmanager('Slack is told of a page within its short wait', async () => {
  const told: string[] = [];
  const server = createServer((incoming: IncomingMessage, answer) => {
    let text = '';
    incoming.on('data', (chunk) => {
      text += chunk;
    });
    incoming.on('end', () => {
      told.push(text);
      answer.end('ok');
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const env = { RUSHLIGHT_ALERTS_SLACK_URL: `http://127.0.0.1:${port}/hook` };
  const { fire } = await startAlertmanager(rendered(env).file);
  await fire();
  const first = await eventually('Slack is told', () => told[0], { deadlineMs: 90_000 });
  const [message] = (JSON.parse(first) as { attachments: { title: string; text: string }[] })
    .attachments;
  expect(message?.title).toBe('Page: ServiceDown');
  expect(message?.text).toContain('orders does not answer (docs/runbooks/ServiceDown.md)');
});

withCompose('docker-compose reads the compose file, with every profile', () => {
  const folder = temporaryFolder();
  // Debian's release, 1.29, is older than this one option; everything else is checked.
  const text = readFileSync(join(deploy, 'compose/observability.yml'), 'utf8');
  const older = text.replace(/^ {8}bind:\n(?: {10}.*\n)+/m, '');
  expect(older).not.toBe(text);
  const file = join(folder, 'observability.yml');
  writeFileSync(file, older);
  const env = join(deploy, 'compose/.env.example');
  const options = ['-f', file, '--env-file', env, '--project-name', 'rushlight'];
  const profiles = ['observability', 'postgres-exporter', 'redis-exporter'];
  const chosen = profiles.flatMap((name) => ['--profile', name]);
  const { status, said } = runProgram('docker-compose', [...options, ...chosen, 'config']);
  expect(status, said).toBe(0);
  for (const name of ['prometheus', 'grafana', 'alloy', 'cadvisor', 'redis-exporter']) {
    expect(said).toMatch(new RegExp(`^ {2}${name}:$`, 'm'));
  }
});

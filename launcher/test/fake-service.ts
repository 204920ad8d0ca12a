// Stands in for a service: listens, says that it is ready, answers with what it was told, drains.

import { createServer } from 'node:http';

const told = process.env;
const variable = `${told['RUSHLIGHT_SERVICE']?.toUpperCase()}_FAKE_MODE`;
const mode = told[`RUSHLIGHT_${variable}`];

if (mode === 'bad-config') {
  process.stderr.write(`RUSHLIGHT_${variable} is wrong\n`);
  process.exit(78);
}
if (mode === 'crash') {
  process.stderr.write('nothing works today\n');
  process.exit(1);
}

const server = createServer((_, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ pid: process.pid, environment: told }));
});

function drain(why: string): void {
  process.stdout.write(`${why}: draining\n`);
  server.close(() => process.exit(0));
  server.closeAllConnections();
}

process.once('SIGTERM', () => drain('SIGTERM'));
process.once('disconnect', () => drain('the launcher is gone'));
server.listen(Number(told['RUSHLIGHT_LISTEN_PORT']), told['RUSHLIGHT_LISTEN_HOST'], () => {
  process.stdout.write('listening\n');
  process.send?.({ type: 'ready', port: Number(told['RUSHLIGHT_LISTEN_PORT']) });
});

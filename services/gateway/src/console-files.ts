// The console's files, as they were built. Names of built assets hold a hash of their content, so
// they may be kept for ever; the page that names them may not.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { ApiError } from '@rushlight/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const builtFolder = fileURLToPath(new URL('../../../console/dist', import.meta.url));
const pageType = 'text/html; charset=utf-8';
const consoleHeaders = {
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
};
const notBuilt = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Rushlight</title>
<h1>The console is not built</h1>
<p>The platform runs; only its pages are missing. Build them with <code>npm start</code> from a
checkout, or use the API: <a href="/api/docs">/api/docs</a>.</p></html>
`;

/** Serves the console at every path outside /api. */
export async function serveConsole(
  app: FastifyInstance,
  folder: string = builtFolder,
): Promise<void> {
  // Files are looked up at each request, because a console may be built while we run.
  await app.register(fastifyStatic, {
    root: folder,
    serve: false,
    index: false,
    dotfiles: 'ignore',
    cacheControl: false,
    setHeaders: (reply, path) => {
      reply.header('cache-control', cacheControlOf(path.slice(folder.length)));
    },
  });
  app.route({
    method: ['GET', 'HEAD'],
    url: '/*',
    handler: (request, reply) => answer(request, reply, folder),
  });
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  folder: string,
): Promise<FastifyReply> {
  const path = (request.params as { '*': string })['*'];
  if (path === 'api' || path.startsWith('api/')) {
    throw new ApiError('route_not_found', { method: request.method, path: `/${path}` });
  }
  reply.headers(consoleHeaders);
  const isPage = path === '' || (!/\.\w+$/.test(path) && acceptsPages(request));
  if (!isPage) return reply.sendFile(path);
  if (existsSync(join(folder, 'index.html'))) return reply.sendFile('index.html');
  return reply.status(503).header('retry-after', '5').type(pageType).send(notBuilt);
}

function acceptsPages(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/html') === true;
}

function cacheControlOf(path: string): string {
  return path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
}

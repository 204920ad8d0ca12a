// The API page at /api/docs: the document, a page to try it, and the table of errors.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import fastifyStatic from '@fastify/static';
import { type ErrorSpec, errors, type Route } from '@rushlight/contracts';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify';
import { openApi } from './openapi.ts';

const assets = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const;
const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-cache',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
};

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rushlight API</title>
<link rel="icon" href="/api/docs/favicon-32x32.png">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body>
<p style="margin: 1rem; font: 0.9rem system-ui">Log in at POST /api/v1/login, then put the token into
"Authorize". <a href="/api/docs/errors">All errors</a> · <a href="/api/openapi.json">OpenAPI</a></p>
<div id="ui"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
`;
const startScript = `SwaggerUIBundle({
  url: '/api/openapi.json', dom_id: '#ui', deepLinking: true, validatorUrl: null,
  docExpansion: 'list', displayRequestDuration: true, tagsSorter: 'alpha',
});
`;

/** Adds /api/openapi.json and /api/docs, for these routes. */
export async function serveDocs(
  app: FastifyInstance,
  api: Readonly<Record<string, Route>>,
): Promise<void> {
  const document = JSON.stringify(openApi(api));
  const errorPage = errorTable();
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const sendPage = (reply: FastifyReply, html: string) => reply.headers(pageHeaders).send(html);

  app.get('/api/openapi.json', async (_, reply) =>
    reply
      .type('application/json; charset=utf-8')
      .header('cache-control', 'no-cache')
      .send(document),
  );
  app.get('/api/docs', async (_, reply) => sendPage(reply, page));
  app.get('/api/docs/errors', async (_, reply) => sendPage(reply, errorPage));
  app.get('/api/docs/start.js', async (_, reply) =>
    reply.type('text/javascript; charset=utf-8').send(startScript),
  );
  const addAssets: FastifyPluginAsync = async (scope) => {
    await scope.register(fastifyStatic, { root: folder, serve: false, cacheControl: false });
    for (const name of assets) {
      scope.get(`/api/docs/${name}`, async (_, reply) =>
        reply.header('cache-control', 'public, max-age=86400').sendFile(name),
      );
    }
  };
  await app.register(addAssets);
}

function errorTable(): string {
  const rows = Object.entries<ErrorSpec>(errors).map(
    ([code, { http, retry, title, say }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${http}</td>` +
      `<td>${retry ? 'yes' : 'no'}</td><td>${escapeHtml(title)}</td><td>${escapeHtml(say)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rushlight API: errors</title>
<style>
body { font: 1rem system-ui; margin: 1rem; color-scheme: light dark }
table { border-collapse: collapse } td, th { border: 1px solid #8888; padding: 0.4rem; text-align: left }
tr:target { outline: 2px solid }
</style>
</head>
<body>
<h1>Errors</h1>
<p>Every 4xx and 5xx is a problem document (RFC 9457) with one of these codes.
<a href="/api/docs">The API</a></p>
<table><tr><th>code</th><th>status</th><th>same request again?</th><th>title</th><th>says</th></tr>
${rows.join('\n')}
</table>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

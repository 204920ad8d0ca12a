// Logs: search, live tail, and what they say grouped by template.

import { type Handlers, hijacked, userOf } from '@rushlight/chassis';
import type { monitorApi } from '@rushlight/contracts';
import type { LogLevel } from '../model.ts';
import { LogTemplates } from '../read/log-templates.ts';
import { type ApiParts, inUs, rangeOf } from './parts.ts';
import { isoOfUs } from './times.ts';
import { logLineOf } from './views.ts';

type LogHandlers = Pick<Handlers<typeof monitorApi>, 'searchLogs' | 'tailLogs' | 'analyzeErrors'>;

/** Lines that one analysis looks at: the newest. */
const analyzedMax = 20_000;

export function logHandlers({ env, store, feed }: ApiParts): LogHandlers {
  return {
    searchLogs: async ({ query }) => {
      const range = inUs(rangeOf(query, env.nowMs()));
      const { limit } = query;
      const lines = await store.reads.searchLogs({
        ...range,
        ...filterOf(query),
        limit,
        newestFirst: true,
      });
      return { status: 200, body: { lines: lines.map(logLineOf) } };
    },
    tailLogs: async ({ query }, context) => {
      const { expiresAtS } = userOf(context);
      feed.open(context.reply.raw, query, expiresAtS * 1_000);
      return hijacked;
    },
    analyzeErrors: async ({ query }) => {
      const range = inUs(rangeOf(query, env.nowMs()));
      const search = { ...range, ...filterOf(query), limit: analyzedMax, newestFirst: true };
      const lines = await store.reads.searchLogs(search);
      const templates = new LogTemplates();
      for (const line of lines) templates.add(line);
      const groups = templates.groups().slice(0, query.limit);
      const body = {
        lines: lines.length,
        truncated: lines.length >= analyzedMax,
        groups: groups.map(({ firstAtUs, lastAtUs, example, ...group }) => ({
          ...group,
          firstSeen: isoOfUs(firstAtUs),
          lastSeen: isoOfUs(lastAtUs),
          example: logLineOf(example),
        })),
      };
      return { status: 200, body };
    },
  };
}

function filterOf(query: {
  service?: string | undefined;
  level?: LogLevel | undefined;
  text?: string | undefined;
  traceId?: string | undefined;
}) {
  const { service, level, text, traceId } = query;
  return {
    ...(service === undefined ? {} : { service }),
    ...(level === undefined ? {} : { levelMin: level }),
    ...(text === undefined ? {} : { text }),
    ...(traceId === undefined ? {} : { traceId }),
  };
}

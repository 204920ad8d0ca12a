import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import type { ProcessName } from '../services.ts';

export const roles = ['student', 'kitchen', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Shed first what can wait: reads and the lab go before a checkout does. */
export type Priority = 'checkout' | 'read' | 'lab';

type Fields = z.ZodObject;

/**
 * One HTTP route, written once: server validation, typed client, API page, authorisation matrix and
 * the console's types all come from this object.
 */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With `:name` parameters, as the router takes it. */
  readonly path: string;
  readonly summary: string;
  /** Who may call: anyone, users of these roles, or other services of ours only. */
  readonly who: 'anyone' | 'service' | readonly Role[];
  /** The service that answers it; the gateway forwards to it. */
  readonly owner: ProcessName;
  readonly priority: Priority;
  /** Only there while the lab is on. */
  readonly lab?: true;
  /** Answers with a stream of server-sent events. */
  readonly stream?: true;
  /** To send it again changes nothing: whoever gets no answer may. A GET always is. */
  readonly repeatable?: true;
  readonly bodyBytesMax?: number;
  readonly params?: Fields;
  readonly query?: Fields;
  readonly headers?: Fields;
  readonly body?: z.ZodType;
  /** Status → body; null where the body is empty. */
  readonly replies: Readonly<Record<number, z.ZodType | null>>;
  /** Beyond those that every route may give. */
  readonly errors: readonly ErrorCode[];
};

type Part<
  R extends Route,
  K extends 'params' | 'query' | 'headers' | 'body',
> = R[K] extends z.ZodType ? z.output<R[K]> : undefined;
type PartIn<
  R extends Route,
  K extends 'params' | 'query' | 'headers' | 'body',
> = R[K] extends z.ZodType ? { [P in K]: z.input<R[K]> } : { [P in K]?: undefined };

/** What a handler gets: the parts, checked. */
export type Input<R extends Route> = {
  params: Part<R, 'params'>;
  query: Part<R, 'query'>;
  headers: Part<R, 'headers'>;
  body: Part<R, 'body'>;
};

/** What a caller gives. */
export type Call<R extends Route> = PartIn<R, 'params'> &
  PartIn<R, 'query'> &
  PartIn<R, 'headers'> &
  PartIn<R, 'body'>;

/** What comes back: one member for each status. */
export type Reply<R extends Route> = {
  [S in keyof R['replies'] & number]: {
    status: S;
    body: R['replies'][S] extends z.ZodType ? z.output<R['replies'][S]> : undefined;
  };
}[keyof R['replies'] & number];

/** Errors that any route of the public API may answer. */
export const commonErrors = [
  'bad_request',
  'rate_limited',
  'internal',
  'busy',
  'unavailable',
] as const satisfies readonly ErrorCode[];

/** Fills the parameters of a path, percent-encoded. */
export function pathOf(route: Pick<Route, 'path'>, params: Record<string, unknown> = {}): string {
  return route.path.replace(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(String(params[name])),
  );
}

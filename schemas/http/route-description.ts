/** How a route of the HTTP port is described. */
import type { TSchema } from 'typebox';

export type Auth = 'track' | 'pipelines' | 'app' | 'admin' | 'none';

export interface RouteDescription {
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete';
  /** With `{parameter}`. */
  readonly path: string;
  readonly summary: string;
  readonly auth: Auth;
  readonly body?: TSchema;
  readonly query?: readonly { readonly name: string; readonly description: string }[];
  /** By status; 200 and 401 need not be named. */
  readonly answers?: Readonly<Record<string, { readonly description: string; readonly schema?: TSchema }>>;
  /** Other paths of the same call. */
  readonly aliases?: readonly string[];
}

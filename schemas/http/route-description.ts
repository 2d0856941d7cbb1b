/** What is said of a route in the published OpenAPI document, and the answers that many routes have. */
import Type, { type TSchema } from 'typebox';
import { Fault } from './app.ts';

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

const Faults = Type.Object({ errors: Type.Array(Fault) });
export const badBody = { 400: { description: 'Every fault with its JSON pointer.', schema: Faults } };
export const missing = { 404: { description: 'There is no such thing.' } };

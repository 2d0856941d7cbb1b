/**
 * Who a request comes from, as far as its headers say: found out by the route's first hook, before any of the body is
 * read, and asked for by whoever handles the request afterwards.
 */
import type { Workspace } from '../../schemas/ids.ts';

/** browser: public, in pages; server: the same calls and more; track: a site id with its API key; admin: everything. */
export type KeyKind = 'browser' | 'server' | 'track' | 'app' | 'admin';

/** A key that was found. */
export interface KnownKey {
  /** Names the key and says nothing of its secret. */
  readonly id: string;
  readonly kind: KeyKind;
  /** null: of the whole installation. */
  readonly workspace: Workspace | null;
}

/** A key that is known. The admin key is of no workspace. */
export interface Caller {
  readonly workspace: Workspace | null;
  readonly key?: KnownKey | undefined;
}

const callers = new WeakMap<object, Caller>();

export function tellCaller(request: object, caller: Caller): void {
  callers.set(request, caller);
}

/** undefined: no header has said it. */
export function callerOf(request: object): Caller | undefined {
  return callers.get(request);
}

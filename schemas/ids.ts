/** Branded names of things. A personId cannot stand where an anonymousId belongs. */
type Brand<T, Name extends string> = T & { readonly __brand: Name };

/** Name of a workspace: `[a-z0-9][a-z0-9_-]{0,63}`, so that keys of the form `workspace:…` split in one way only. */
export type Workspace = Brand<string, 'Workspace'>;
/** `cio_` and a hash of (workspace, number in identity.log); what Customer.io calls a cio_id. */
export type PersonId = Brand<string, 'PersonId'>;
/** Key of a lane, see lanes.ts. */
export type LaneKey = Brand<string, 'LaneKey'>;

const WORKSPACE = /^[a-z0-9][a-z0-9_-]{0,63}$/;
export function isWorkspace(text: string): text is Workspace {
  return WORKSPACE.test(text);
}
export function toWorkspace(text: string): Workspace {
  if (!isWorkspace(text)) throw new TypeError(`not a workspace name: ${text}`);
  return text;
}

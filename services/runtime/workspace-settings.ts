/**
 * Settings of a workspace, kept as the definition of kind `workspace` (PUT /v1/workspaces/{name}), with defaults that
 * do not surprise a Customer.io user. Read by ingest, merger and trigger, so it lives here and is pure.
 */
import type { DefinitionsView } from './definitions.ts';

export interface WorkspaceSettings {
  /** Anonymous event merge (spec C.1 row 13). */
  readonly anonymous_event_merge: boolean;
  /** Multi-identifier profile merge (spec C.3). */
  readonly auto_merge: boolean;
  readonly guards: {
    /** Refuse placeholders (schemas/placeholders.ts), and claims of an anonymous id that is the person's own name. */
    readonly illegal_identifiers: boolean;
    /** Further patterns, of RE2 syntax, that no identifier may match, such as ^guest_. */
    readonly illegal_patterns: readonly string[];
    /** null: no limit. */
    readonly anonymous_ids_per_person: { readonly at_most: number; readonly within_ms: number } | null;
    readonly people_per_anonymous_id: { readonly at_most: number; readonly within_ms: number } | null;
    readonly merges_per_minute: number | null;
  };
  /** An identify by id changes an email that is set, which otherwise only one by cio_id may (spec C.3, E row 100). */
  readonly update_email_by_id: boolean;
  /** The kind of identifier that names people (spec E row 89); used by the fragmentation report. */
  readonly canonical_identifier: 'id' | 'email';
  /** Share of people, 0 to 1, whom every journey leaves out for comparison (spec D.2, *holdout*). */
  readonly global_holdout: number;
}

export const defaultSettings: WorkspaceSettings = {
  anonymous_event_merge: true,
  auto_merge: true,
  guards: {
    illegal_identifiers: true,
    illegal_patterns: [],
    anonymous_ids_per_person: null,
    people_per_anonymous_id: null,
    merges_per_minute: null,
  },
  update_email_by_id: false,
  canonical_identifier: 'id',
  global_holdout: 0,
};

/** Settings in force. Stored bodies are partial: what they leave out has its default. */
export function settingsOf(definitions: Pick<DefinitionsView, 'get'>, workspace: string): WorkspaceSettings {
  const stored = definitions.get('workspace', workspace, workspace)?.body as
    Partial<WorkspaceSettings> | undefined; // checked at PUT
  if (stored === undefined) return defaultSettings;
  let settings = whole.get(stored);
  if (settings === undefined) {
    settings = { ...defaultSettings, ...stored, guards: { ...defaultSettings.guards, ...stored.guards } };
    whole.set(stored, settings);
  }
  return settings;
}

/** By the stored body, which a change replaces: every request asks. */
const whole = new WeakMap<Partial<WorkspaceSettings>, WorkspaceSettings>();

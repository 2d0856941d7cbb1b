/**
 * Settings of a workspace, kept as the definition of kind `workspace` (PUT /v1/workspaces/{name}), with defaults that
 * do not surprise a Customer.io user. Read by ingest, identity and trigger, so it lives here and is pure.
 */
import type { DefinitionsView } from './definitions.ts';
import type { EventNamesSettings } from './event-names.ts';

export interface Rate {
  readonly per_second: number;
  /** What may come at once; without it as much as in a second. */
  readonly burst?: number;
}

/** Bytes that a workspace may bring in an hour and on a day (UTC); null: no limit. */
export interface Quotas {
  readonly hour_bytes: number | null;
  readonly day_bytes: number | null;
}

/** An event that identifies, by one of its properties (spec E row 88). */
export interface IdentifyMoment {
  readonly event: string;
  /** The key as it is written, or dots that lead into objects. */
  readonly property: string;
  /** phone: only where the canonical identifier is one. */
  readonly kind: 'id' | 'email' | 'phone';
}

/** What waits in a browser meanwhile: the newest so many events, so many days. */
export interface ConsentSettings {
  readonly required: boolean;
  readonly events_max: number;
  readonly days_max: number;
}

export type PropertyType = 'text' | 'number' | 'boolean' | 'object' | 'list';

/** What the properties of an event are to be; what is not so is reported, and taken all the same (spec E row 95). */
export interface EventSchema {
  readonly required: readonly string[];
  readonly types: Readonly<Record<string, PropertyType>>;
}

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
    /** Such names are taken, and the merge report tells of whom they name: what makes a name anew names nobody for long. */
    readonly flagged_patterns: readonly string[];
    /** null: no limit. */
    readonly anonymous_ids_per_person: { readonly at_most: number; readonly within_ms: number } | null;
    readonly people_per_anonymous_id: { readonly at_most: number; readonly within_ms: number } | null;
    readonly merges_per_minute: number | null;
  };
  /** An identify by id changes an email that is set, which otherwise only one by cio_id may (spec C.3, E row 100). */
  readonly update_email_by_id: boolean;
  /**
   * The kind of identifier that names people (spec E row 89); used by the fragmentation report. `phone`: a phone alone
   * names somebody, by an id in E.164.
   */
  readonly canonical_identifier: 'id' | 'email' | 'phone';
  /** ISO 3166-1 of phone numbers without a country's code, where phones name people; null: these name nobody. */
  readonly phone_country: string | null;
  /** Events that identify beside identify calls. */
  readonly identify_moments: readonly IdentifyMoment[];
  /** Names of one event, of which one is kept. */
  readonly event_names: EventNamesSettings;
  /** `items`, `products`, `line_items` and `skus` become one list `items`. */
  readonly normalise_items: boolean;
  /** By event. */
  readonly event_schemas: Readonly<Record<string, EventSchema>>;
  /** What bots do waits for whoever they turn out to be; off: it is kept in anonymous_events only (spec E row 95). */
  readonly bot_events_wait: boolean;
  /** What keys of kind browser may ask for about people; they stand in every page. */
  readonly browser_keys_may_delete: boolean;
  /** And unsuppress. */
  readonly browser_keys_may_suppress: boolean;
  /** Make a visitor or a person part of another. */
  readonly browser_keys_may_alias: boolean;
  /** Of each key, and of all keys of the workspace together; null: no limit. */
  readonly rate_limits: {
    readonly key_calls: Rate | null;
    readonly key_bytes: Rate | null;
    readonly workspace_calls: Rate | null;
    readonly workspace_bytes: Rate | null;
  };
  /** What it may bring, as the log keeps it. */
  readonly quotas: Quotas;
  /** What pages send before a visitor has said yes: nothing, where it is required (docs/on-site.md, *Consent*). */
  readonly consent: ConsentSettings;
  /** Share of people, 0 to 1, whom every journey leaves out for comparison (spec D.2, *holdout*). */
  readonly global_holdout: number;
}

export const defaultSettings: WorkspaceSettings = {
  anonymous_event_merge: true,
  auto_merge: true,
  guards: {
    illegal_identifiers: true,
    illegal_patterns: [],
    flagged_patterns: ['(?i)^(?:anon|anonymous|guest|session|sess|temp|tmp|visitor)[-_:.]'],
    anonymous_ids_per_person: null,
    people_per_anonymous_id: null,
    merges_per_minute: null,
  },
  update_email_by_id: false,
  canonical_identifier: 'id',
  phone_country: null,
  identify_moments: [],
  event_names: { preset: null, names: {} },
  normalise_items: false,
  event_schemas: {},
  bot_events_wait: true,
  browser_keys_may_delete: false,
  browser_keys_may_suppress: false,
  browser_keys_may_alias: false,
  rate_limits: { key_calls: null, key_bytes: null, workspace_calls: null, workspace_bytes: null },
  quotas: { hour_bytes: null, day_bytes: null },
  consent: { required: false, events_max: 100, days_max: 14 },
  global_holdout: 0,
};

const anySchema: EventSchema = { required: [], types: {} };

type StoredSettings = Omit<
  Partial<WorkspaceSettings>,
  'guards' | 'rate_limits' | 'quotas' | 'event_names' | 'event_schemas' | 'consent'
> & {
  readonly guards?: Partial<WorkspaceSettings['guards']>;
  readonly rate_limits?: Partial<WorkspaceSettings['rate_limits']>;
  readonly quotas?: Partial<Quotas>;
  readonly event_names?: Partial<EventNamesSettings>;
  readonly consent?: Partial<ConsentSettings>;
  readonly event_schemas?: Readonly<Record<string, Partial<EventSchema>>>;
};

/** Settings in force. Stored bodies are partial: what they leave out has its default. */
export function settingsOf(definitions: Pick<DefinitionsView, 'get'>, workspace: string): WorkspaceSettings {
  const stored = definitions.get('workspace', workspace, workspace)?.body as StoredSettings | undefined; // checked at PUT
  if (stored === undefined) return defaultSettings;
  let settings = whole.get(stored);
  if (settings === undefined) {
    const guards = { ...defaultSettings.guards, ...stored.guards };
    const rateLimits = { ...defaultSettings.rate_limits, ...stored.rate_limits };
    const quotas = { ...defaultSettings.quotas, ...stored.quotas };
    const event_names = { ...defaultSettings.event_names, ...stored.event_names };
    const event_schemas = Object.fromEntries(
      Object.entries(stored.event_schemas ?? {}).map(([name, schema]) => [name, { ...anySchema, ...schema }]),
    );
    const consent = { ...defaultSettings.consent, ...stored.consent };
    const merged = { guards, rate_limits: rateLimits, quotas, event_names, event_schemas, consent };
    settings = { ...defaultSettings, ...stored, ...merged };
    whole.set(stored, settings);
  }
  return settings;
}

/** By the stored body, which a change replaces: every request asks. */
const whole = new WeakMap<StoredSettings, WorkspaceSettings>();

/** What the App API is given by the gateway. */
import type { Workspace } from '../../schemas/ids.ts';
import type { Definition } from '../../schemas/records.ts';
import type { TopicId } from '../../schemas/topics.ts';
import type { KeyKind, KnownKey } from '../runtime/caller.ts';
import type { Answered, Sighting } from '../runtime/sighting.ts';
import type { DefinitionVersion } from '../runtime/definition-versions.ts';
import type { StoredDefinition } from '../runtime/definitions.ts';

export type DefinitionKind = 'segment' | 'journey' | 'message' | 'workspace';

export interface DefinitionWrite {
  readonly body: unknown;
  /** Of its kind in the workspace; looked at when it is this write's turn. */
  readonly countMax?: number;
  /** Asked when it is this write's turn, with everything before it stored. */
  readonly mayStore?: () => boolean;
}

/** The `definitions` topic, folded, and its writer. */
export interface DefinitionsStore {
  get(kind: Definition['kind'], workspace: string, id: string): StoredDefinition | undefined;
  list(kind: Definition['kind'], workspace: string): readonly StoredDefinition[];
  /** What it has been, newest first, as far as it is kept here; nothing where there never was one. */
  versions(kind: Definition['kind'], workspace: string, id: string): readonly DefinitionVersion[];
  /** Resolves with what the broker now has; undefined when it would be one more than `countMax` or may not be. */
  put(
    kind: DefinitionKind,
    workspace: Workspace,
    id: string,
    write: DefinitionWrite,
  ): Promise<StoredDefinition | undefined>;
  /** Resolves with the version that says it is gone; undefined when it was not there. */
  remove(kind: DefinitionKind, workspace: Workspace, id: string): Promise<number | undefined>;
  /** The standing test clock, ms. */
  readonly clock: number | undefined;
  advanceClockTo(time: number): Promise<void>;
  /** One past the last offset of the topic that is folded. */
  readonly offset: number;
}

export interface RowChange {
  readonly key: string;
  /** JSON; null: it is deleted. */
  readonly row: string | null;
}

/** The `tables.changed` topic, folded, and its writer. */
export interface TableStore {
  /** JSON of a row; undefined: there is none. */
  text(workspace: Workspace, table: string, key: string): string | undefined;
  used(
    workspace: Workspace,
  ): readonly { readonly table: string; readonly rows: number; readonly bytes: number }[];
  /** Of a workspace. */
  readonly bounds: { readonly tablesMax: number; readonly rowsMax: number; readonly bytesMax: number };
  /** Resolves when the broker has all of it; false: there is no room. No key may be there twice. */
  write(workspace: Workspace, table: string, changes: readonly RowChange[]): Promise<boolean>;
}

/** Looks up keys; undefined or false: no such key, or one that has ended. */
export interface AppKeys {
  app(appKey: string): Workspace | undefined;
  isAdmin(key: string): boolean;
  has(workspace: Workspace): boolean;
  /** Who a bearer is, at the doors that bearers open. */
  find(door: 'app' | 'admin', secret: string): KnownKey | undefined;
  /** The first keys of a workspace that has none. Calls at the same time are told the same; undefined: it has keys. */
  ensure(workspace: Workspace): Promise<Readonly<Record<string, string>> | undefined>;
}

export interface KeyDescription {
  readonly id: string;
  readonly kind: KeyKind;
  /** null: of the whole installation. */
  readonly workspace: Workspace | null;
  readonly name: string;
  /** Of kind track; it is no secret. */
  readonly site_id: string | null;
  readonly active: boolean;
  /** ISO 8601; null: it stands in credentials.json. */
  readonly created_at: string | null;
  /** To the hour. */
  readonly last_used_at: string | null;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
}

export interface KeyMaking {
  readonly workspace: Workspace | null;
  readonly kind: KeyKind;
  readonly name: string;
  /** Id of the key that asks. */
  readonly by: string;
}

export interface MadeKey {
  readonly key: KeyDescription;
  /** By the names of credentials.json. Never again shown. */
  readonly credentials: Readonly<Record<string, string>>;
}

/** No more keys: `too_many` that work, or `too_many_today` that were made. */
export type KeysFull = 'too_many' | 'too_many_today';

export interface KeyStore extends AppKeys {
  list(workspace: Workspace | null): readonly KeyDescription[];
  get(id: string): KeyDescription | undefined;
  make(making: KeyMaking): Promise<MadeKey | KeysFull>;
  /** The old key works on for `validMs`; undefined: it has ended already. */
  rotate(id: string, validMs: number, by: string): Promise<MadeKey | KeysFull | undefined>;
  revoke(id: string, by: string): Promise<KeyDescription | undefined>;
}

/** What a service says at `/status`; the members that settling and what is in force need. */
export interface ServiceStatus {
  /** One past the last definition that all of the process has taken. */
  readonly definitions_offset?: number;
  /** Tasks of the service in the whole installation, and those of this process. */
  readonly tasks_in_all?: number;
  readonly tasks?: readonly {
    readonly task: number;
    readonly state?: string;
    readonly definitions_offset?: number;
  }[];
  readonly inputs?: Readonly<Partial<Record<TopicId, readonly number[]>>>;
  readonly unsettled?: number;
  /** ms; where a service says up to what time its timers have run. */
  readonly watermark?: number;
}

export interface Statuses {
  /** undefined: no such service is known, or it does not answer. */
  of(service: string): Promise<ServiceStatus | undefined>;
  /** An entry for each process of the service that is known; undefined where it does not answer. */
  instances(service: string): Promise<readonly (ServiceStatus | undefined)[]>;
  /** Names of the services that are known. */
  names(): Promise<readonly string[]>;
  ready(service: string): Promise<{ readonly ok: boolean; readonly detail?: string }>;
}

/** Rows of a query with `{name: Type}` parameters. It is asked within the share of the workspace. */
export type Query = (
  sql: string,
  parameters: Readonly<Record<string, string | number | readonly string[]>> & { readonly workspace: string },
) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** Which calls a reader wants to see; what is not set does not matter. */
export interface CallFilter {
  /** Id of a key. */
  readonly key: string | undefined;
  /** Anonymous id. */
  readonly visitor: string | undefined;
  /** An id, email or cio_id as it was sent. */
  readonly person: string | undefined;
  readonly answered: Answered | undefined;
}

/** Neither may throw or wait. */
export interface LiveReader {
  /** @param text JSON of a call. */
  call(text: string): void;
  skipped(count: number): void;
}

export interface RefusalCount {
  readonly key: string | null;
  readonly reason: string;
  readonly count: number;
  readonly last: Sighting;
}

/** What the door of this gateway sees. */
export interface LiveSource {
  /** JSON of the last calls, oldest first. */
  recent(workspace: Workspace, filter: CallFilter): readonly string[];
  /** @returns what ends it; undefined: there are too many readers. */
  follow(workspace: Workspace, filter: CallFilter, reader: LiveReader): (() => void) | undefined;
  /** A reader did not keep up and was cut off. */
  cut(workspace: Workspace, key: string): void;
  /** Since this gateway started; null: of callers who were not known. JSON-ready, most recent first. */
  refusals(workspace: Workspace | null): readonly unknown[];
  /** Calls of the last hour, of the whole installation, that came with no key that is known here. */
  unknownCallsOfHour(): number;
}

/** What is asked of the service trigger about a person and a rule. */
export interface AskedWhy {
  readonly workspace: string;
  readonly kind: 'segment' | 'journey';
  readonly ruleId: string;
  readonly personId: string;
  /** Of a journey's run; null: the one without a key. */
  readonly key: string | null;
  /** ms; null: now. An earlier one than that is that. */
  readonly at: number | null;
  /** A journey that does not run is asked as if it did. */
  readonly asIfRunning?: boolean;
}
export type AnsweredWhy =
  | {
      readonly type: 'explained';
      /** As it is answered (contract, *Definitions*). */
      readonly explained: Readonly<Record<string, unknown>>;
      readonly asOf: {
        readonly partition: number;
        readonly offset: number;
        readonly definitionsOffset: number;
        readonly readTo: number;
        readonly at: number;
      };
    }
  | { readonly type: 'not_here' | 'rule_unknown' | 'person_unknown' };

/** A trigger in the past, with what it would have led to. */
export type ReplayedOutcome = {
  /** ms */
  readonly at: number;
  readonly key: string | null;
  readonly triggerMessageId: string | null;
} & (
  | { readonly type: 'journey_entered'; readonly evidence: object | null }
  | { readonly type: 'journey_skipped'; readonly reason: string; readonly detail: object | null }
);
interface ToldOutcome {
  readonly personId: string;
  readonly outcome: ReplayedOutcome;
}

/** What is asked about the past of a journey. */
export interface AskedReplay {
  readonly workspace: string;
  readonly journeyId: string;
  /** In the place of what is stored; null: that. */
  readonly body: unknown;
  /** ms; [from, to). */
  readonly from: number;
  readonly to: number;
  readonly by: ComesBy;
  /** People after this one; empty: from the first. */
  readonly after: string;
}
/** When things come to a person: as they happened, or as they were received. */
export type ComesBy = 'event_time' | 'arrival';
export type AnsweredReplay =
  | {
      readonly type: 'replayed';
      readonly version: number;
      readonly people: number;
      readonly of: number;
      readonly entered: number;
      readonly skipped: Readonly<Record<string, number>>;
      /** Of those who were looked at: no trigger of theirs lies in the range. */
      readonly withoutTrigger: number;
      /** Triggers of theirs that lead to something else by the other time, or at another moment. */
      readonly arrivedLate: number;
      /** People beside `of` who may have triggered it by the other time alone. */
      readonly otherWay: number;
      readonly sample: { readonly entered: readonly ToldOutcome[]; readonly skipped: readonly ToldOutcome[] };
      readonly leftOut: readonly string[];
      readonly next: string | null;
    }
  | { readonly type: 'rule_unknown' | 'person_unknown' | 'busy' };
export type AnsweredRehearsal =
  | {
      readonly type: 'rehearsed';
      readonly explained: Readonly<Record<string, unknown>>;
      readonly before: readonly ReplayedOutcome[];
    }
  | { readonly type: 'rule_unknown' | 'person_unknown' | 'person_too_dear' | 'busy' };

/** The service trigger. Rejects with a retryable CodedError `trigger_unavailable`. */
export interface RulesView {
  /** How far the past of this version of a rule is in; null: it had none when it was met. */
  past(asked: {
    readonly workspace: string;
    readonly ruleKey: string;
    readonly version: number;
  }): Promise<object | null>;
  explain(asked: AskedWhy): Promise<AnsweredWhy>;
  replay(asked: AskedReplay): Promise<AnsweredReplay>;
  rehearse(
    asked: Pick<AskedReplay, 'workspace' | 'journeyId' | 'body' | 'by'> &
      Pick<AskedWhy, 'personId' | 'key'> & { readonly at: number },
  ): Promise<AnsweredRehearsal>;
}

/** Of an hour or a day (UTC). */
export interface WindowUsage {
  /** As the log keeps them. */
  readonly bytes: number;
  /** null: no limit. */
  readonly quota_bytes: number | null;
  /** ISO 8601 */
  readonly ends_at: string;
}

/** What a workspace takes of what all share, at this gateway. JSON-ready. */
export interface WorkspaceUsage {
  readonly brought: { readonly hour: WindowUsage; readonly day: WindowUsage };
  readonly over_quota: boolean;
  /** Of ClickHouse; refused: since this gateway started. */
  readonly questions: {
    readonly running: number;
    readonly running_max: number;
    readonly waiting: number;
    readonly waiting_max: number;
    readonly refused: number;
  };
}

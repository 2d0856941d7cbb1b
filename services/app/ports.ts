/** What the App API is given by the gateway. */
import type { Workspace } from '../../schemas/ids.ts';
import type { Definition } from '../../schemas/records.ts';
import type { TopicId } from '../../schemas/topics.ts';
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

export interface AppKeys {
  app(appKey: string): Workspace | undefined;
  isAdmin(key: string): boolean;
  has(workspace: Workspace): boolean;
  /** The keys of the workspace: they are made when it has none. */
  ensure(workspace: Workspace): WorkspaceKeys;
}
export interface WorkspaceKeys {
  readonly site_id: string;
  readonly api_key: string;
  readonly write_key: string;
  readonly app_key: string;
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

/** Rows of a query with `{name: Type}` parameters. */
export type Query = (
  sql: string,
  parameters: Readonly<Record<string, string | number | readonly string[]>>,
) => Promise<readonly Readonly<Record<string, unknown>>[]>;

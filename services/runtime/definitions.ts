/** The `definitions` topic folded into what is in force: workspace settings, segments, journeys. Pure. */
import { parseExactly } from './exact-json.ts';
import type { Definition } from '../../schemas/records.ts';

export interface StoredDefinition {
  readonly kind: Definition['kind'];
  readonly workspace: string;
  readonly id: string;
  readonly version: number;
  /** Version since which the conditions (`when`, `filters`, `audience`, `suppress`) read the same: a new name forgets nothing that was counted. */
  readonly ruleVersion: number;
  readonly at: number;
  /**
   * Of a journey: version with which it first ran, where that was to take people of before by the time of their trigger. Only
   * what came before a journey of its id ever ran is past: the rest was decided as it came. Absent: it took nobody.
   */
  readonly placedVersion?: number;
  /** Parsed JSON body; its shape was checked before it was stored. */
  readonly body: unknown;
}

/** A read-only view. `offset` says up to where of the topic it reaches; two views of one offset are equal. */
export interface DefinitionsView {
  readonly offset: number;
  get(kind: Definition['kind'], workspace: string, id: string): StoredDefinition | undefined;
  /** All of a kind in a workspace, by id. The array is the same object until one of them changes. */
  list(kind: Definition['kind'], workspace: string): readonly StoredDefinition[];
  /** Last standing test clock, or undefined. */
  readonly clock: number | undefined;
}

/** Mutable fold behind the views. `apply` in offset order; `view` is cheap. */
export class Definitions implements DefinitionsView {
  offset = 0;
  clock: number | undefined;
  readonly #byKey = new Map<string, StoredDefinition>();
  /** Deleted ones too, so that a definition made again goes on counting. */
  readonly #versions = new Map<string, number>();
  /** Journeys that have run, deleted ones too: what a person has of one is kept as long. */
  readonly #ran = new Set<string>();
  readonly #lists = new Map<string, readonly StoredDefinition[]>();

  /** Of the last record that counted, also where it was a removal; 0: there has been none. */
  versionOf(kind: Definition['kind'], workspace: string, id: string): number {
    return this.#versions.get(keyOf(kind, workspace, id)) ?? 0;
  }

  /**
   * Two gateways may write the same version at the same time, each having seen the one before. The first on the topic
   * counts, for every reader; the other gateway sees that its own does not, and writes the next version.
   * @returns whether the record counts.
   */
  apply(offset: number, record: Definition): boolean {
    this.offset = offset + 1;
    if (record.kind === 'clock') {
      this.clock = Math.max(this.clock ?? record.at, record.at);
      return true;
    }
    const key = keyOf(record.kind, record.workspace, record.id);
    if (record.version <= (this.#versions.get(key) ?? 0)) return false;
    this.#versions.set(key, record.version);
    if (record.deleted) this.#byKey.delete(key);
    else {
      const body: unknown = record.body === null ? null : parseExactly(record.body);
      const { kind, workspace, id, version, at } = record;
      const before = this.#byKey.get(key);
      const kept = before !== undefined && conditionsOf(before.body) === conditionsOf(body);
      const ruleVersion = kept ? before.ruleVersion : version;
      const isFirst = kind === 'journey' && isRunning(body) && !this.#ran.has(key);
      if (isFirst) this.#ran.add(key);
      const placed = before?.placedVersion ?? (isFirst && isPlacing(body) ? version : undefined);
      const own = { kind, workspace, id, version, ruleVersion, at, body };
      this.#byKey.set(key, placed === undefined ? own : { ...own, placedVersion: placed });
    }
    this.#lists.delete(`${record.kind}/${record.workspace}`);
    return true;
  }

  get(kind: Definition['kind'], workspace: string, id: string): StoredDefinition | undefined {
    return this.#byKey.get(keyOf(kind, workspace, id));
  }

  list(kind: Definition['kind'], workspace: string): readonly StoredDefinition[] {
    const at = `${kind}/${workspace}`;
    let list = this.#lists.get(at);
    if (list === undefined) {
      list = [...this.#byKey.values()]
        .filter((definition) => definition.kind === kind && definition.workspace === workspace)
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      this.#lists.set(at, list);
    }
    return list;
  }
}

function isRunning(body: unknown): boolean {
  const { state } = (body ?? {}) as Partial<Record<string, unknown>>; // any JSON
  return state === 'running';
}
function isPlacing(body: unknown): boolean {
  const { include_current: include } = (body ?? {}) as Partial<Record<string, unknown>>; // any JSON
  return include === 'as_of_trigger';
}

function conditionsOf(body: unknown): string {
  const { when, filters, audience, suppress } = (body ?? {}) as Partial<Record<string, unknown>>; // any JSON
  return JSON.stringify([when, filters, audience, suppress]);
}

function keyOf(kind: string, workspace: string, id: string): string {
  return `${kind}/${workspace}/${id}`;
}

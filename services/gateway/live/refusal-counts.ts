/** How many calls were not taken, by workspace, key and reason, since this gateway started; and the last of each kind. */
import type { Workspace } from '../../../schemas/ids.ts';
import type { RefusalCount } from '../../app/ports.ts';
import type { Sighting } from '../../runtime/sighting.ts';

/** Reasons are ours; keys a workspace makes, and a thousand a day, so it has so many of these and no other's are lost. */
export const refusalKindsMax = 10_000;
export const workspaceRefusalKindsMax = 500;
const OTHER = 'other';

interface Kind {
  readonly workspace: Workspace | null;
  readonly key: string | null;
  readonly reason: string;
  count: number;
  last: Sighting;
}

export interface LimitedCount {
  readonly workspace: Workspace;
  readonly key: string;
  readonly reason: string;
  readonly count: number;
}

export class RefusalCounts {
  readonly #kinds = new Map<string, Kind>();
  /** How many of them are of a workspace; '' for those of callers who were not known. */
  readonly #kindsOf = new Map<string, number>();

  count(sighting: Sighting): void {
    if (sighting.answered === 'ok' || sighting.answered === 'corrected') return;
    const { workspace, key } = sighting;
    const kind = this.#kindOf(workspace, key, sighting.reason ?? 'unknown', sighting);
    kind.count++;
    kind.last = sighting;
  }

  /** Those of a workspace, most recent first; null: of callers who were not known. */
  list(workspace: Workspace | null): readonly RefusalCount[] {
    return [...this.#kinds.values()]
      .filter((kind) => kind.workspace === workspace)
      .map(({ key, reason, count, last }) => ({ key, reason, count, last }))
      .sort((a, b) => b.last.at - a.last.at);
  }

  /** Of all workspaces. */
  get byReason(): Readonly<Record<string, number>> {
    const sums: Record<string, number> = {};
    for (const { reason, count } of this.#kinds.values()) sums[reason] = (sums[reason] ?? 0) + count;
    return sums;
  }

  /** Calls over a rate limit or a quota, by workspace, key and which of these. */
  get limited(): readonly LimitedCount[] {
    return [...this.#kinds.values()].flatMap(({ workspace, key, reason, count, last }) =>
      last.answered === 'limited' && workspace !== null && key !== null
        ? [{ workspace, key, reason, count }]
        : [],
    );
  }

  #kindOf(workspace: Workspace | null, key: string | null, reason: string, last: Sighting): Kind {
    const name = `${workspace ?? ''}/${key ?? ''}/${reason}`;
    const known = this.#kinds.get(name);
    if (known !== undefined) return known;
    const ofWorkspace = this.#kindsOf.get(workspace ?? '') ?? 0;
    if (reason !== OTHER) {
      if (this.#kinds.size >= refusalKindsMax) return this.#kindOf(null, null, OTHER, last);
      if (ofWorkspace >= workspaceRefusalKindsMax) return this.#kindOf(workspace, null, OTHER, last);
    }
    this.#kindsOf.set(workspace ?? '', ofWorkspace + 1);
    const kind = { workspace, key, reason, count: 0, last };
    this.#kinds.set(name, kind);
    return kind;
  }
}

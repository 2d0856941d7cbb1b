/** How many calls were not taken, by workspace, key and reason, since this gateway started; and the last of each kind. */
import type { Workspace } from '../../../schemas/ids.ts';
import type { RefusalCount } from '../../app/ports.ts';
import type { Sighting } from '../../runtime/sighting.ts';

/** Workspaces, keys and reasons are all ours; nobody makes up new ones by calling. */
export const refusalKindsMax = 10_000;

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
    if (this.#kinds.size >= refusalKindsMax && reason !== 'other') {
      return this.#kindOf(null, null, 'other', last);
    }
    const kind = { workspace, key, reason, count: 0, last };
    this.#kinds.set(name, kind);
    return kind;
  }
}

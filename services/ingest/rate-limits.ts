/**
 * How fast a key and a workspace may call: token buckets, off unless the workspace sets them. A request goes when each of
 * its buckets has something left, and is charged in full when its size is known, into debt if need be: so a batch that
 * is larger than a bucket still passes once, and is paid for before the next. Each gateway counts for itself.
 */
import type { Workspace } from '../../schemas/ids.ts';
import type { KnownKey } from '../runtime/caller.ts';
import { RecentMap } from '../runtime/recent-map.ts';
import type { Rate, WorkspaceSettings } from '../runtime/workspace-settings.ts';

/** Of keys and workspaces. Only keys that are known have one; whoever has not called for longest begins anew. */
const bucketsMax = 20_000;
const MS_PER_S = 1_000;

interface Bucket {
  tokens: number;
  atMs: number;
  /** A change of the setting begins anew. */
  readonly rate: Rate;
}

/** What a request costs. */
interface Cost {
  readonly calls: number;
  readonly bytes: number;
}

export class RateLimits {
  readonly #settings: (workspace: Workspace) => WorkspaceSettings;
  readonly #monotonicMs: () => number;
  readonly #buckets = new RecentMap<string, Bucket>(bucketsMax);

  /** @param monotonicMs ms that only grow. */
  constructor(
    settings: (workspace: Workspace) => WorkspaceSettings,
    monotonicMs: () => number = () => performance.now(),
  ) {
    this.#settings = settings;
    this.#monotonicMs = monotonicMs;
  }

  /** @returns undefined: go, and one call is charged; else after how many seconds there is something left. */
  waitS(key: KnownKey): number | undefined {
    const buckets = this.#bucketsOf(key);
    if (buckets.length === 0) return undefined;
    const waits = buckets.map(([kind, { tokens, rate }]) =>
      // A whole call, but any part of a byte: a request's bytes are not known yet.
      tokens >= (kind === 'calls' ? 1 : Number.MIN_VALUE) ? 0 : (1 - tokens) / rate.per_second,
    );
    const wait = Math.max(0, ...waits);
    if (wait > 0) return Math.ceil(wait);
    charge(buckets, { calls: 1, bytes: 0 });
    return undefined;
  }

  charge(key: KnownKey, cost: Cost): void {
    charge(this.#bucketsOf(key), cost);
  }

  #bucketsOf(key: KnownKey): readonly (readonly [keyof Cost, Bucket])[] {
    const { workspace } = key;
    if (workspace === null) return [];
    const { rate_limits: limits } = this.#settings(workspace);
    if (!isLimited(limits)) return [];
    const now = this.#monotonicMs();
    const wanted = [
      ['calls', `k/${key.id}`, limits.key_calls],
      ['bytes', `k/${key.id}`, limits.key_bytes],
      ['calls', `w/${workspace}`, limits.workspace_calls],
      ['bytes', `w/${workspace}`, limits.workspace_bytes],
    ] as const;
    return wanted.flatMap(([kind, owner, rate]) =>
      rate === null ? [] : [[kind, this.#bucket(`${kind}/${owner}`, rate, now)] as const],
    );
  }

  #bucket(name: string, rate: Rate, now: number): Bucket {
    const found = this.#buckets.get(name);
    if (found === undefined || found.rate.per_second !== rate.per_second || found.rate.burst !== rate.burst) {
      const bucket = { tokens: roomOf(rate), atMs: now, rate };
      this.#buckets.set(name, bucket);
      return bucket;
    }
    const gained = (Math.max(0, now - found.atMs) / MS_PER_S) * rate.per_second;
    found.tokens = Math.min(roomOf(rate), found.tokens + gained);
    found.atMs = now;
    return found;
  }
}

/** Nearly nobody is, and it is asked three times a call: a list of the limits would cost more than all else here. */
function isLimited(limits: WorkspaceSettings['rate_limits']): boolean {
  return (
    limits.key_calls !== null ||
    limits.key_bytes !== null ||
    limits.workspace_calls !== null ||
    limits.workspace_bytes !== null
  );
}

/** At least one call fits, also where less than one a second may come. */
function roomOf({ per_second: perSecond, burst = perSecond }: Rate): number {
  return Math.max(1, burst);
}

function charge(buckets: readonly (readonly [keyof Cost, Bucket])[], cost: Cost): void {
  for (const [kind, bucket] of buckets) bucket.tokens -= cost[kind];
}

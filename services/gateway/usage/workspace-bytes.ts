/**
 * How many bytes each workspace has brought in this hour and on this day (UTC): records of its calls as the log keeps them,
 * key and value, also rows about calls that were not taken. What was brought is counted when it is kept, so what is under
 * way at the bound still goes. Each gateway counts for itself. A clock that is set back does not begin an hour anew.
 */
import type { Workspace } from '../../../schemas/ids.ts';
import type { Quotas } from '../../runtime/workspace-settings.ts';
import type { WindowUsage } from '../../app/ports.ts';

const MS_PER_S = 1_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;
/** Of workspaces over their quota, as /status names them. */
const namedMax = 100;

/** [number of the window since 1970, bytes] */
type Count = readonly [window: number, bytes: number];
export type Counts = readonly [hour: Count, day: Count];

export interface WorkspaceBytesOptions {
  readonly quotas: (workspace: Workspace) => Quotas;
  /** Of every workspace, whatever its own settings say; null: none. */
  readonly dayBytesMax: number | null;
  /** ms since 1970 */
  readonly now: () => number;
}

export class WorkspaceBytes {
  readonly #options: WorkspaceBytesOptions;
  /** Those that brought something today, so no more than there are workspaces (keys/keys.ts). */
  readonly #counts = new Map<Workspace, Counts>();
  #day = 0;
  #changes = 0;

  constructor(options: WorkspaceBytesOptions) {
    this.#options = options;
  }

  add(workspace: Workspace, bytes: number): void {
    const [hour, day] = this.#countsOf(workspace);
    this.#forgetBefore(day[0]);
    this.#counts.set(workspace, [
      [hour[0], hour[1] + bytes],
      [day[0], day[1] + bytes],
    ]);
    this.#changes += 1;
  }

  /** @returns undefined: it may bring more; else after how many seconds it may again. */
  waitS(workspace: Workspace): number | undefined {
    // Asked for each call, of which nearly none has a quota.
    const { hourBytes, dayBytes } = this.#quotasOf(workspace);
    if (hourBytes === null && dayBytes === null) return undefined;
    const [[hour, inHour], [day, inDay]] = this.#countsOf(workspace);
    const end = Math.max(
      hourBytes !== null && inHour >= hourBytes ? endOf(hour, hourMs) : -Infinity,
      dayBytes !== null && inDay >= dayBytes ? endOf(day, dayMs) : -Infinity,
    );
    if (end === -Infinity) return undefined;
    return Math.max(1, Math.ceil((end - this.#options.now()) / MS_PER_S));
  }

  usageOf(workspace: Workspace): { readonly hour: WindowUsage; readonly day: WindowUsage } {
    const { hourBytes, dayBytes } = this.#quotasOf(workspace);
    const [hour, day] = this.#countsOf(workspace);
    return { hour: windowOf(hour, hourMs, hourBytes), day: windowOf(day, dayMs, dayBytes) };
  }

  /** Names of some, of very many. */
  get overQuota(): readonly Workspace[] {
    const over: Workspace[] = [];
    for (const workspace of this.#counts.keys()) {
      if (over.length >= namedMax) break;
      if (this.waitS(workspace) !== undefined) over.push(workspace);
    }
    return over;
  }

  /** Grows with each change. */
  get changes(): number {
    return this.#changes;
  }
  get entries(): readonly (readonly [Workspace, Counts])[] {
    return [...this.#counts];
  }
  /** Of an earlier process. What is over is left out at its next count. */
  restore(entries: readonly (readonly [Workspace, Counts])[]): void {
    for (const [workspace, counts] of entries) this.#counts.set(workspace, counts);
  }

  #quotasOf(workspace: Workspace): { readonly hourBytes: number | null; readonly dayBytes: number | null } {
    const { quotas, dayBytesMax } = this.#options;
    const { hour_bytes: hourBytes, day_bytes: own } = quotas(workspace);
    const dayBytes = own === null || dayBytesMax === null ? (own ?? dayBytesMax) : Math.min(own, dayBytesMax);
    return { hourBytes, dayBytes };
  }

  #countsOf(workspace: Workspace): Counts {
    const now = this.#options.now();
    const [hour, day] = this.#counts.get(workspace) ?? nothing;
    return [inWindow(hour, Math.floor(now / hourMs)), inWindow(day, Math.floor(now / dayMs))];
  }

  #forgetBefore(day: number): void {
    if (day <= this.#day) return;
    this.#day = day;
    for (const [workspace, [, counted]] of this.#counts) if (counted[0] < day) this.#counts.delete(workspace);
  }
}

const nothing: Counts = [
  [0, 0],
  [0, 0],
];

function inWindow([window, bytes]: Count, now: number): Count {
  return now > window ? [now, 0] : [window, bytes];
}

function windowOf([window, bytes]: Count, lengthMs: number, quota: number | null): WindowUsage {
  return { bytes, quota_bytes: quota, ends_at: new Date(endOf(window, lengthMs)).toISOString() };
}

/** ms since 1970 */
function endOf(window: number, lengthMs: number): number {
  return (window + 1) * lengthMs;
}

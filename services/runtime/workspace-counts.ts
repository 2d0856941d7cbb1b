/**
 * How much of something each workspace of a partition has, against a bound for all together, one for each, and a small
 * part that is always a workspace's own: so whoever fills the bound leaves room for the others.
 */
export interface CountBounds {
  readonly max: number;
  readonly ofWorkspaceMax: number;
  /** Whatever others have. */
  readonly reservedMin: number;
}

export class WorkspaceCounts {
  readonly #bounds: CountBounds;
  readonly #counts = new Map<string, number>();
  #total = 0;

  constructor(bounds: CountBounds) {
    this.#bounds = bounds;
  }

  get total(): number {
    return this.#total;
  }
  /** @param key which begins with the workspace, as those of people and of lanes do. */
  hasRoom(key: string): boolean {
    return this.#total < this.#bounds.reservedMin || this.hasRoomOf(workspaceIn(key));
  }
  hasRoomOf(workspace: string): boolean {
    const { max, ofWorkspaceMax, reservedMin } = this.#bounds;
    if (this.#total < reservedMin) return true;
    const count = this.#counts.get(workspace) ?? 0;
    return count < reservedMin || (count < ofWorkspaceMax && this.#total < max);
  }
  add(key: string, change: number): void {
    this.addOf(workspaceIn(key), change);
  }
  addOf(workspace: string, change: number): void {
    if (change === 0) return;
    const count = (this.#counts.get(workspace) ?? 0) + change;
    this.#total += change;
    if (count === 0) this.#counts.delete(workspace);
    else this.#counts.set(workspace, count);
  }
}

export function workspaceIn(key: string): string {
  return key.slice(0, key.indexOf(':'));
}

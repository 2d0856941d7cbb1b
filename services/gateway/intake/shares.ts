/** What is held of something bounded, bytes or records: all of it, and by workspace, none of which may take it whole. */
import type { Workspace } from '../../../schemas/ids.ts';

export interface ShareLimits {
  readonly max: number;
  /** Of one workspace: its public key may be in many hands. */
  readonly workspaceMax: number;
}

export class Shares {
  readonly #limits: ShareLimits;
  /** Those that hold something. */
  readonly #held = new Map<Workspace, number>();
  #all = 0;

  constructor(limits: ShareLimits) {
    this.#limits = limits;
  }

  get held(): number {
    return this.#all;
  }
  heldOf(workspace: Workspace): number {
    return this.#held.get(workspace) ?? 0;
  }

  /** What there would be too much of with so many more, of this share of the bounds. */
  lacks(workspace: Workspace, more: number, share = 1): 'room' | 'share' | undefined {
    const { max, workspaceMax } = this.#limits;
    if (this.#all + more > max * share) return 'room';
    return this.heldOf(workspace) + more > workspaceMax * share ? 'share' : undefined;
  }

  take(workspace: Workspace, more: number): void {
    this.#all += more;
    this.#held.set(workspace, this.heldOf(workspace) + more);
  }
  giveBack(workspace: Workspace, taken: number): void {
    const left = this.heldOf(workspace) - taken;
    this.#all -= taken;
    if (left > 0) this.#held.set(workspace, left);
    else this.#held.delete(workspace);
  }
  clear(): void {
    this.#all = 0;
    this.#held.clear();
  }
}

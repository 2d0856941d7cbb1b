/** Bytes that are held of something bounded: all of them, and by workspace, none of which may take it whole. */
import type { Workspace } from '../../../schemas/ids.ts';

export interface ShareLimits {
  readonly bytesMax: number;
  /** Of one workspace: its public key may be in many hands. */
  readonly workspaceBytesMax: number;
}

export class Shares {
  readonly #limits: ShareLimits;
  /** Those that hold something. */
  readonly #held = new Map<Workspace, number>();
  #bytes = 0;

  constructor(limits: ShareLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }
  get workspaces(): number {
    return this.#held.size;
  }
  bytesOf(workspace: Workspace): number {
    return this.#held.get(workspace) ?? 0;
  }

  /** What there would be too much of with so many bytes more, of this share of the bounds. */
  lacks(workspace: Workspace, bytes: number, share = 1): 'room' | 'share' | undefined {
    const { bytesMax, workspaceBytesMax } = this.#limits;
    if (this.#bytes + bytes > bytesMax * share) return 'room';
    return this.bytesOf(workspace) + bytes > workspaceBytesMax * share ? 'share' : undefined;
  }

  take(workspace: Workspace, bytes: number): void {
    this.#bytes += bytes;
    this.#held.set(workspace, this.bytesOf(workspace) + bytes);
  }
  giveBack(workspace: Workspace, bytes: number): void {
    const left = this.bytesOf(workspace) - bytes;
    this.#bytes -= bytes;
    if (left > 0) this.#held.set(workspace, left);
    else this.#held.delete(workspace);
  }
  clear(): void {
    this.#bytes = 0;
    this.#held.clear();
  }
}

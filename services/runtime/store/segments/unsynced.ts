/**
 * Which segments have bytes that the disk may not have yet, and whether their folder has names that it may not have. What
 * a failed sync may have dropped no later one brings back, so its error is for good.
 */
import type { CodedError } from '../../errors.ts';
import { diskFailed } from './write-fully.ts';

export interface SyncPorts {
  readonly sync: (segment: number) => Promise<void>;
  readonly syncNow: (segment: number) => void;
  readonly syncFolder: () => void;
  readonly failed: (error: CodedError) => void;
}

export class Unsynced {
  readonly #ports: SyncPorts;
  #segments = new Set<number>();
  /**
   * Of each sync that is under way. Mostly there is one; but after `syncNow` the next may begin before one that was
   * under way has ended, and the end of one says nothing of the other.
   */
  readonly #underWay = new Set<ReadonlySet<number>>();
  isFolderNew = false;

  constructor(ports: SyncPorts) {
    this.#ports = ports;
  }

  wrote(segment: number): void {
    this.#segments.add(segment);
  }
  madeFile(): void {
    this.isFolderNew = true;
  }
  dropped(segment: number): void {
    this.#segments.delete(segment);
  }
  /** Such a segment's file must stay open. */
  isUnderWay(segment: number): boolean {
    for (const segments of this.#underWay) if (segments.has(segment)) return true;
    return false;
  }
  get isBusy(): boolean {
    return this.#underWay.size > 0;
  }

  /** Resolves once the disk has what was written before the call. @throws CodedError `store_disk_failed`. */
  async sync(): Promise<void> {
    const segments = this.#segments;
    this.#segments = new Set();
    this.#underWay.add(segments);
    try {
      await Promise.all([...segments].map((segment) => this.#ports.sync(segment)));
      this.#syncFolder();
    } catch (cause) {
      throw this.#failed(cause);
    } finally {
      this.#underWay.delete(segments);
    }
  }

  /** The same, while everything waits; what a sync under way covers is covered, too. */
  syncNow(): void {
    try {
      const segments = new Set([...this.#underWay, this.#segments].flatMap((each) => [...each]));
      for (const segment of segments) this.#ports.syncNow(segment);
      this.#syncFolder();
    } catch (cause) {
      throw this.#failed(cause);
    }
    this.#segments.clear();
  }

  #syncFolder(): void {
    if (!this.isFolderNew) return;
    this.#ports.syncFolder();
    this.isFolderNew = false;
  }

  #failed(cause: unknown): CodedError {
    const error = diskFailed(cause);
    this.#ports.failed(error);
    return error;
  }
}

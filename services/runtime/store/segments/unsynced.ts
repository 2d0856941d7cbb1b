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
  /** Of the sync that is under way. */
  #underWay = new Set<number>();
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
    return this.#underWay.has(segment);
  }
  get isBusy(): boolean {
    return this.#underWay.size > 0;
  }

  /** Resolves once the disk has what was written before the call; one at a time. @throws CodedError `store_disk_failed`. */
  async sync(): Promise<void> {
    const segments = this.#segments;
    this.#segments = new Set();
    this.#underWay = segments;
    try {
      await Promise.all([...segments].map((segment) => this.#ports.sync(segment)));
      this.#syncFolder();
    } catch (cause) {
      throw this.#failed(cause);
    } finally {
      this.#underWay = new Set();
    }
  }

  /** The same, while everything waits; what a sync under way covers is covered, too. */
  syncNow(): void {
    try {
      for (const segment of new Set([...this.#underWay, ...this.#segments])) this.#ports.syncNow(segment);
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

/** A keyed store with its mark in memory: as LMDB, it writes a group and a mark as one, and the disk has them then. */
import type { MarkedStore } from '../../runtime/store/keyed-store.ts';

type Changes = Map<string, Buffer | null>;

/** What outlives the process and the power. */
export class KeyedDisk {
  readonly entries = new Map<string, Buffer>();
  mark: Buffer | undefined;
  /** Called before a group is written: may throw as a disk would. */
  beforeWrite: () => void = () => undefined;

  copy(): KeyedDisk {
    const copy = new KeyedDisk();
    for (const [key, value] of this.entries) copy.entries.set(key, value);
    copy.mark = this.mark;
    return copy;
  }

  open(): MarkedStore {
    return new MemoryMarkedStore(this);
  }
}

class MemoryMarkedStore implements MarkedStore {
  readonly failure = undefined;
  readonly #disk: KeyedDisk;
  #open: Changes = new Map();
  #committed: Changes = new Map();
  #group: Changes = new Map();

  constructor(disk: KeyedDisk) {
    this.#disk = disk;
  }

  takeBack(): void {
    this.#open = new Map();
  }

  get(key: string): Buffer | undefined {
    for (const layer of [this.#open, this.#committed, this.#group]) {
      const changed = layer.get(key);
      if (changed !== undefined) return changed ?? undefined;
    }
    return this.#disk.entries.get(key);
  }
  put(key: string, value: Uint8Array): void {
    this.#open.set(key, Buffer.from(value));
  }
  putLate(key: string, encode: () => Buffer): void {
    this.put(key, encode());
  }
  delete(key: string): void {
    this.#open.set(key, null);
  }
  scan(from: string, to: string, limit: number): [key: string, value: Buffer][] {
    const keys = new Set([
      ...this.#disk.entries.keys(),
      ...this.#group.keys(),
      ...this.#committed.keys(),
      ...this.#open.keys(),
    ]);
    const found = [...keys].sort().flatMap((key): [string, Buffer][] => {
      const value = key >= from && key < to ? this.get(key) : undefined;
      return value === undefined ? [] : [[key, value]];
    });
    return found.slice(0, limit);
  }
  commit(): void {
    for (const [key, value] of this.#open) this.#committed.set(key, value);
    this.#open = new Map();
  }
  get bytes(): number {
    let bytes = 0;
    for (const [key, value] of this.#disk.entries) bytes += Buffer.byteLength(key) + value.length;
    return bytes;
  }
  get openEntries(): number {
    return this.#open.size;
  }
  get pendingEntries(): number {
    return this.#committed.size + this.#group.size;
  }
  beginGroup(): void {
    for (const [key, value] of this.#committed) this.#group.set(key, value);
    this.#committed = new Map();
  }
  writeGroup(mark: Buffer): void {
    this.#disk.beforeWrite();
    for (const [key, value] of this.#group) {
      if (value === null) this.#disk.entries.delete(key);
      else this.#disk.entries.set(key, value);
    }
    this.#disk.mark = mark;
    this.#group = new Map();
  }
  mark(): Buffer | undefined {
    return this.#disk.mark;
  }
  copyTo(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {
    // Nothing is held.
  }
}

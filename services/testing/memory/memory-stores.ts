/**
 * The stores of a partition in memory, over a disk that outlives a crash: what was flushed is there when the folder is
 * opened again, what was not is gone. Strict where the ports are: a slot or a view that is no longer valid is refused.
 */
import { assert } from '../../runtime/errors.ts';
import {
  keyBytesMax,
  type HashWindow,
  type KeyedStore,
  type PartitionStores,
  type StoreNeeds,
} from '../../runtime/store/ports.ts';
import { MemoryEventStore, type Lane } from './memory-event-store.ts';
import { Overlay, assertOpen, type Lifetime } from './memory-overlay.ts';

/** Folders that survive a crash of the process that opened them. */
export class MemoryDisk {
  readonly #folders = new Map<string, MemoryFolder>();

  /** Same shape as openPartitionStores of services/runtime/store/open-stores.ts. */
  open(folder: string, needs: StoreNeeds): PartitionStores {
    let saved = this.#folders.get(folder);
    if (saved === undefined) this.#folders.set(folder, (saved = new MemoryFolder()));
    return openFolder(saved, needs, (target, copy) => this.#folders.set(target, copy));
  }

  /** Folders that lie in this one, at any depth. */
  within(folder: string): string[] {
    return [...this.#folders.keys()].filter((name) => name.startsWith(`${folder}/`)).sort();
  }

  has(folder: string): boolean {
    return this.#folders.has(folder);
  }

  /** A lost folder. */
  remove(folder: string): void {
    this.#folders.delete(folder);
  }

  copy(from: string, to: string): void {
    const found = this.#folders.get(from);
    assert(found !== undefined, `no folder ${from} on the memory disk`);
    this.#folders.set(to, found.copy());
  }
}

/** Stores on a disk of their own, for tests that never reopen them. */
export function memoryStores(needs: StoreNeeds): PartitionStores {
  return new MemoryDisk().open('memory', needs);
}

/** What has reached the disk: three maps and one mark, always together. */
class MemoryFolder {
  mark = 0;
  readonly keyed = new Map<string, Buffer>();
  readonly events = new Map<string, Lane>();
  readonly duplicates = new Map<string, number>();

  copy(): MemoryFolder {
    const folder = new MemoryFolder();
    folder.mark = this.mark;
    for (const [key, value] of this.keyed) folder.keyed.set(key, value);
    for (const [key, value] of this.events) folder.events.set(key, value);
    for (const [key, value] of this.duplicates) folder.duplicates.set(key, value);
    return folder;
  }
}

function openFolder(
  saved: MemoryFolder,
  needs: StoreNeeds,
  keep: (folder: string, copy: MemoryFolder) => void,
): PartitionStores {
  const state: Lifetime = { batchOpen: false, closed: false };
  const keyed = new MemoryKeyedStore(saved.keyed, state);
  const events = new MemoryEventStore(saved.events, state);
  const duplicates = needs.duplicates && new MemoryHashWindow(saved.duplicates, state, needs.duplicates);
  let committed = saved.mark;
  const flush = (): void => {
    keyed.write();
    events.write();
    duplicates?.write();
    saved.mark = committed;
  };
  return {
    keyed,
    ...(needs.events && { events }),
    ...(duplicates && { duplicates }),
    get mark() {
      return saved.mark;
    },
    get openChanges() {
      return keyed.opened;
    },
    committed(sequence) {
      assertOpen(state);
      assert(sequence > committed, `sequence ${String(sequence)} follows ${String(committed)}`);
      committed = sequence;
      state.batchOpen = false;
      keyed.committed();
    },
    // As the real ones: only where nothing but keyed state is kept.
    ...(needs.events === undefined &&
      needs.duplicates === undefined && {
        takeBack() {
          assertOpen(state);
          keyed.takeBack();
          state.batchOpen = false;
        },
      }),
    flush() {
      assertOpen(state);
      assert(!state.batchOpen, 'a flush never meets an open batch');
      flush();
    },
    snapshot(folder) {
      assertOpen(state);
      assert(!state.batchOpen, 'a snapshot is made between batches');
      flush();
      keep(folder, saved.copy());
      return Promise.resolve();
    },
    close() {
      if (!state.batchOpen && !state.closed) flush();
      state.closed = true;
    },
  };
}

class MemoryKeyedStore extends Overlay<Buffer> implements KeyedStore {
  get(key: string): Buffer | undefined {
    return this.find(key);
  }

  put(key: string, value: Uint8Array): void {
    assert(Buffer.byteLength(key) <= keyBytesMax, `key of ${String(key.length)} characters is too long`);
    assert(key.length > 0, 'a key is not empty');
    this.change(key, Buffer.from(value));
  }
  putLate(key: string, encode: () => Buffer): void {
    this.put(key, encode());
  }

  delete(key: string): void {
    this.change(key, undefined);
  }

  scan(from: string, to: string, limit: number): [key: string, value: Buffer][] {
    const [low, high] = [Buffer.from(from), Buffer.from(to)];
    const found: [Buffer, string, Buffer][] = [];
    for (const [key, value] of this.all()) {
      const bytes = Buffer.from(key);
      if (bytes.compare(low) >= 0 && bytes.compare(high) < 0) found.push([bytes, key, value]);
    }
    found.sort((a, b) => a[0].compare(b[0]));
    return found.slice(0, limit).map(([, key, value]) => [key, value]);
  }
}

const HOUR_MS = 3_600_000;

/** Keeps whole hours, the newest, as the real one does. */
class MemoryHashWindow extends Overlay<number> implements HashWindow {
  forgottenEarly = 0;
  readonly #windowHours: number;
  readonly #hoursKept: number;
  readonly #entriesMax: number;
  /** Is kept. */
  #last = NaN;

  constructor(saved: Map<string, number>, state: Lifetime, needs: NonNullable<StoreNeeds['duplicates']>) {
    super(saved, state);
    this.#windowHours = Math.ceil(needs.windowMs / HOUR_MS);
    this.#hoursKept = this.#windowHours + Math.ceil(needs.lateMs / HOUR_MS) + 1;
    this.#entriesMax = needs.entriesMax;
  }

  seen(hashHigh: number, hashLow: number, receivedAt: number): boolean {
    const key = `${String(hashHigh >>> 0)}:${String(hashLow >>> 0)}`;
    const hour = Math.floor(receivedAt / HOUR_MS);
    const before = this.find(key);
    if (before !== undefined && Math.abs(hour - before) <= this.#windowHours) return true;
    if (hour !== this.#last && !this.#makeRoomFor(hour)) return false;
    this.change(key, hour);
    this.#last = hour;
    while (this.entries > this.#entriesMax && this.#hours().size > 1) {
      const entries = this.entries;
      this.#forgetOldest();
      this.forgottenEarly += entries - this.entries;
    }
    return false;
  }

  get entries(): number {
    return this.size;
  }

  /** False when the hour is older than all that are kept. */
  #makeRoomFor(hour: number): boolean {
    const hours = this.#hours();
    if (hours.has(hour) || hours.size < this.#hoursKept) return true;
    if (hour < Math.min(...hours)) return false;
    this.#forgetOldest();
    return true;
  }

  #hours(): Set<number> {
    return new Set([...this.all()].map(([, hour]) => hour));
  }

  #forgetOldest(): void {
    const oldest = Math.min(...this.#hours());
    for (const [key, hour] of [...this.all()]) if (hour === oldest) this.change(key, undefined);
    this.#last = NaN;
  }
}

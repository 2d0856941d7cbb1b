/**
 * A disk in memory that keeps its promises and nothing beyond them. When its power fails, each sector that was written
 * since its file was last synced is there or not, a file may be as long as it was or as it would have been, and each name
 * that was made, moved or removed since its folder was last synced may have been or not: the worst that a file system may
 * do. It can also be full, or fail to sync.
 */
import { dirname } from 'node:path';
import type { StoreFiles } from '../../runtime/store/files.ts';

/** Of a disk: written whole or not at all. */
const SECTOR_BYTES = 512;

/** Chance decides, from 0 to 1: what has a seed. */
export type Chance = () => number;

interface Write {
  readonly position: number;
  readonly bytes: Buffer;
}

class File {
  bytes: Buffer = Buffer.alloc(0);
  /** As of the last sync. */
  #synced: Buffer = Buffer.alloc(0);
  #writes: Write[] = [];
  /** Writes before these, which syncs have covered. */
  #forgotten = 0;
  /** Syncs that began, and the newest of them that has ended: one that began before it covers less. */
  #syncs = 0;
  #newestEnded = 0;

  write(position: number, bytes: Buffer): void {
    this.#writes.push({ position, bytes: Buffer.from(bytes) });
    this.bytes = written(this.bytes, position, bytes);
  }
  truncate(length: number): void {
    const longer = Buffer.alloc(length);
    this.bytes.copy(longer);
    this.bytes = longer;
  }
  /** What a sync that begins now covers, once it is called; one that began later may have ended before. */
  freeze(): () => void {
    this.#syncs += 1;
    const [sync, bytes, writes] = [this.#syncs, this.bytes, this.#forgotten + this.#writes.length];
    return () => {
      if (sync < this.#newestEnded) return;
      this.#newestEnded = sync;
      this.#synced = bytes;
      this.#writes = this.#writes.slice(writes - this.#forgotten);
      this.#forgotten = writes;
    };
  }

  copy(): File {
    const file = new File();
    file.bytes = Buffer.from(this.bytes);
    file.freeze()();
    return file;
  }

  afterPowerFailure(chance: Chance): File {
    const kept = chance();
    let bytes = this.#synced;
    for (const write of this.#writes) {
      for (let at = 0; at < write.bytes.length;) {
        const position = write.position + at;
        const length = Math.min(write.bytes.length - at, SECTOR_BYTES - (position % SECTOR_BYTES));
        if (chance() < kept) bytes = written(bytes, position, write.bytes.subarray(at, at + length));
        at += length;
      }
    }
    const file = new File();
    file.bytes = bytes;
    // Its length is a promise of its own.
    if (chance() < 0.3) file.truncate(chance() < 0.5 ? this.#synced.length : this.bytes.length);
    file.freeze()();
    return file;
  }
}

function written(into: Buffer, position: number, bytes: Buffer): Buffer {
  const result = Buffer.alloc(Math.max(into.length, position + bytes.length));
  into.copy(result);
  bytes.copy(result, position);
  return result;
}

/** A name that was made (to a file), moved or removed. */
interface NameChange {
  readonly folder: string;
  readonly apply: (names: Map<string, File>) => void;
}

export class FaultyFiles implements StoreFiles {
  #names = new Map<string, File>();
  /** As of the last syncs of their folders. */
  #syncedNames = new Map<string, File>();
  #changes: NameChange[] = [];
  readonly #open = new Map<number, File>();
  #fds = 0;
  readonly #underWay: { readonly end: (error?: Error) => void }[] = [];
  /** Syncs end by themselves. */
  isPrompt = false;
  /** Bytes that fit before it is full. */
  room = Infinity;
  /** Every sync fails, and what it should have kept is dropped as a kernel drops it: later ones succeed. */
  failsToSync = false;

  open(path: string, flags: 'r+' | 'w+'): number {
    let file = this.#names.get(path);
    if (flags === 'r+' && file === undefined) throw failure('ENOENT');
    if (file === undefined || flags === 'w+') {
      const made = (file = new File());
      this.#change(path, (names) => names.set(path, made));
    }
    this.#fds += 1;
    this.#open.set(this.#fds, file);
    return this.#fds;
  }
  close(fd: number): void {
    if (!this.#open.delete(fd)) throw failure('EBADF');
  }
  sizeOf(fd: number): number {
    return this.#file(fd).bytes.length;
  }
  // eslint-disable-next-line @typescript-eslint/max-params -- the port's
  read(fd: number, into: Buffer, start: number, length: number, position: number): number {
    return this.#file(fd).bytes.copy(into, start, position, position + length);
  }
  // eslint-disable-next-line @typescript-eslint/max-params -- the port's
  write(fd: number, bytes: Buffer, start: number, length: number, position: number): number {
    const fits = Math.min(length, this.room);
    if (fits === 0 && length > 0) throw failure('ENOSPC');
    this.room -= fits;
    this.#file(fd).write(position, bytes.subarray(start, start + fits));
    return fits;
  }
  truncate(fd: number, bytes: number): void {
    this.#file(fd).truncate(bytes);
  }

  /** Ends when `endSync` is called. */
  async sync(fd: number): Promise<void> {
    const covered = this.#file(fd).freeze();
    if (this.isPrompt) {
      await Promise.resolve();
      if (this.failsToSync) throw failure('EIO');
      covered();
      return;
    }
    await new Promise<void>((resolve, reject) => {
      this.#underWay.push({
        end: (error) => {
          if (error !== undefined) {
            reject(error);
            return;
          }
          covered();
          resolve();
        },
      });
    });
  }
  /** Syncs that are under way. */
  get syncs(): number {
    return this.#underWay.length;
  }
  /** Ends one of them. */
  endSync(chance: Chance): void {
    const [ended] = this.#underWay.splice(Math.floor(chance() * this.#underWay.length), 1);
    ended?.end(this.failsToSync ? failure('EIO') : undefined);
  }
  syncNow(fd: number): void {
    if (this.failsToSync) throw failure('EIO');
    this.#file(fd).freeze()();
  }
  syncFolder(folder: string): void {
    if (this.failsToSync) throw failure('EIO');
    for (const change of this.#changes) if (change.folder === folder) change.apply(this.#syncedNames);
    this.#changes = this.#changes.filter((change) => change.folder !== folder);
  }
  makeFolder(): void {
    // Folders are there.
  }
  exists(path: string): boolean {
    return this.#names.has(path);
  }
  list(folder: string): string[] {
    return [...this.#names.keys()]
      .filter((path) => dirname(path) === folder)
      .map((path) => path.slice(folder.length + 1));
  }
  rename(from: string, to: string): void {
    const file = this.#names.get(from);
    if (file === undefined) throw failure('ENOENT');
    this.#change(to, (names) => {
      names.delete(from);
      names.set(to, file);
    });
  }
  remove(path: string): void {
    if (!this.#names.has(path)) return;
    this.#change(path, (names) => names.delete(path));
  }

  /** As the next process finds it after a kill -9: what was written is there, and the process that wrote it is not. */
  afterKill(): FaultyFiles {
    const next = new FaultyFiles();
    for (const [path, file] of this.#names) next.#names.set(path, file.copy());
    next.#syncedNames = new Map(next.#names);
    return next;
  }

  /** The disk as the next start finds it. */
  afterPowerFailure(chance: Chance): FaultyFiles {
    const names = new Map(this.#syncedNames);
    const kept = chance();
    for (const change of this.#changes) if (chance() < kept) change.apply(names);
    const next = new FaultyFiles();
    const survivors = new Map<File, File>();
    for (const [path, file] of names) {
      const survivor = survivors.get(file) ?? file.afterPowerFailure(chance);
      survivors.set(file, survivor);
      next.#names.set(path, survivor);
    }
    next.#syncedNames = new Map(next.#names);
    return next;
  }

  #change(path: string, apply: (names: Map<string, File>) => void): void {
    apply(this.#names);
    this.#changes.push({ folder: dirname(path), apply });
  }
  #file(fd: number): File {
    const file = this.#open.get(fd);
    if (file === undefined) throw failure('EBADF');
    return file;
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: as the test says`), { code });
}

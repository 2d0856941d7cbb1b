/** One file of the spool: written at its end, read from its start, each frame looked at when it is read. */
import { randomBytes } from 'node:crypto';
import { writeFully, readFully } from '../../runtime/store/segments/write-fully.ts';
import type { StoreFiles } from '../../runtime/store/files.ts';
import type { TakenRecord } from '../../runtime/taken-records.ts';
import {
  endBytes,
  frameAt,
  frameBytesMax,
  headBytes,
  readHead,
  writeHead,
  type FileHead,
  type Found,
} from './frames.ts';

/** Where frames lie that can be read: mostly one range. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface OpenedFile {
  readonly file: SpoolFile;
  /** Of frames that were acknowledged and cannot be read. */
  readonly lostBytes: number;
  /** Behind the last frame, never acknowledged: a write that did not end. */
  readonly tornBytes: number;
}

const NONCE_BYTES = 8;
/** What is looked through at once. */
const LOOK_BYTES = 2 * frameBytesMax;

export class SpoolFile {
  readonly number: number;
  readonly path: string;
  readonly head: FileHead;
  /** Where the next frame goes: what lies before it is on the disk. */
  end: number;
  /** Where the next record is to be read. */
  at = headBytes;
  /** Kept when it has been read: something in it is damaged. */
  isDamaged = false;
  readonly #files: StoreFiles;
  readonly #fd: number;
  /** Places that cannot be read, in order. */
  #gaps: Range[] = [];

  private constructor(files: StoreFiles, at: { path: string; number: number; fd: number; head: FileHead }) {
    this.#files = files;
    this.#fd = at.fd;
    this.path = at.path;
    this.number = at.number;
    this.head = at.head;
    this.end = headBytes;
  }

  /** A new one, whose head the disk has with the first sync. */
  static make(files: StoreFiles, path: string, number: number, madeAt: number): SpoolFile {
    const head = { madeAt, nonce: randomBytes(NONCE_BYTES) };
    const fd = files.open(path, 'w+');
    try {
      writeFully({ files, fd }, writeHead(head), 0);
    } catch (error) {
      files.close(fd);
      files.remove(path);
      throw error;
    }
    return new SpoolFile(files, { path, number, fd, head });
  }

  /** One of before, looked through to its end. undefined: no head, so nothing in it was acknowledged. */
  static open(files: StoreFiles, path: string, number: number): OpenedFile | undefined {
    const fd = files.open(path, 'r+');
    const head = readHead(readAt(files, fd, 0, headBytes));
    if (head === undefined) {
      files.close(fd);
      return undefined;
    }
    const file = new SpoolFile(files, { path, number, fd, head });
    const size = files.sizeOf(fd);
    file.end = size;
    const { end, lost, torn } = file.#look(headBytes);
    file.end = end;
    return { file, lostBytes: lost, tornBytes: torn };
  }

  /** Behind what is there. @throws CodedError `store_write_failed`, `store_disk_failed`. */
  write(bytes: Buffer): void {
    writeFully({ files: this.#files, fd: this.#fd }, bytes, this.end);
  }
  /** Resolves when the disk has all of it. */
  async sync(): Promise<void> {
    await this.#files.sync(this.#fd);
  }
  /** Of a write that failed: what may be there of it is taken away, if it can be. */
  cutBack(): void {
    try {
      this.#files.truncate(this.#fd, this.end);
    } catch {
      // What is there was not acknowledged, and may be taken for what it is: sent once more by its client.
    }
  }

  get hasMore(): boolean {
    return this.at < this.end;
  }

  /**
   * The next records, about so many bytes of them, at least one where there is one; `next` is where to go on. Records are
   * views of memory that nobody else has.
   */
  read(bytesMax: number): { readonly records: TakenRecord[]; readonly next: number; readonly lost: number } {
    const records: TakenRecord[] = [];
    let [next, lost] = [this.#skip(this.at), 0];
    const stop = next + bytesMax;
    const window = new Window(this, (from) => this.#bytesAt(from, Math.max(bytesMax, frameBytesMax)));
    while (next < this.end && next < stop) {
      const found = window.frameAt(next);
      if (found.type === 'record') {
        records.push(found.record);
        next = this.#skip(next + found.bytes);
      } else if (found.type === 'end') {
        next = this.end;
      } else {
        // It could be read before, or was written by this process.
        const looked = this.#look(next);
        lost += looked.lost + looked.torn;
        this.end = looked.end;
        next = this.#skip(next);
      }
    }
    return { records, next, lost };
  }

  close(): void {
    this.#files.close(this.#fd);
  }

  /** Finds the frames from here on, noting gaps between them. */
  #look(from: number): { readonly end: number; readonly lost: number; readonly torn: number } {
    let [at, good, lost] = [from, from, 0];
    const window = new Window(this, (offset) => this.#bytesAt(offset, LOOK_BYTES));
    while (at < this.end) {
      const found = window.frameAt(at);
      if (found.type === 'record' || found.type === 'end') {
        if (at > good) {
          this.#gaps.push({ from: good, to: at });
          this.isDamaged = true;
          lost += at - good;
        }
        at += found.type === 'record' ? found.bytes : endBytes;
        good = at;
        if (found.type === 'end') return { end: good, lost, torn: 0 };
      } else {
        at += 1;
      }
    }
    return { end: good, lost, torn: this.end - good };
  }

  #skip(offset: number): number {
    const gap = this.#gaps.find(({ from, to }) => from <= offset && offset < to);
    return gap === undefined ? offset : gap.to;
  }
  #bytesAt(offset: number, bytesMax: number): Buffer {
    return readAt(this.#files, this.#fd, offset, Math.min(bytesMax, this.end - offset));
  }
}

/** A stretch of the file in memory: it is read anew only where a frame does not end within it. */
class Window {
  readonly #file: SpoolFile;
  readonly #read: (from: number) => Buffer;
  #from = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(file: SpoolFile, read: (from: number) => Buffer) {
    this.#file = file;
    this.#read = read;
  }

  frameAt(offset: number): Found {
    const found = this.#find(offset);
    if (found.type !== 'short' || this.#from + this.#bytes.length >= this.#file.end) return found;
    this.#from = offset;
    this.#bytes = this.#read(offset);
    return this.#find(offset);
  }

  #find(offset: number): Found {
    const bytes = this.#bytes.subarray(offset - this.#from);
    return frameAt(bytes, { file: this.#file.number, offset });
  }
}

function readAt(files: StoreFiles, fd: number, offset: number, bytes: number): Buffer {
  const into = Buffer.allocUnsafeSlow(Math.max(0, bytes));
  return into.subarray(0, readFully({ files, fd }, into, offset));
}

/** Bodies of inserts, each in a file of its own until its statement has run. In memory where the machine allows it. */
import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { EngineException } from './exception.ts';
import { limits } from './limits.ts';

export interface SpooledBody {
  readonly file: string;
  readonly bytes: number;
  remove(): void;
}

export class Spool {
  readonly #folder: string;
  #bytes = 0;

  /**
   * In a folder of a new name, since everybody may make one where it lies: who knew its name could keep the engine from
   * starting, or have a folder of theirs taken for ours.
   * @param dataFolder names the spool, so that engines of other folders keep theirs.
   */
  constructor(dataFolder: string, base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()) {
    const name = `hindsight-engine-${createHash('sha256').update(resolve(dataFolder)).digest('hex').slice(0, 12)}`;
    for (const left of readdirSync(base)) if (left.startsWith(name)) removeOwn(join(base, left));
    this.#folder = mkdtempSync(join(base, `${name}-`)); // mode 700
  }

  /** Writes the chunks to a new file. A body that is cut short rejects here, so that nothing of it is inserted. */
  async write(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<SpooledBody> {
    const file = join(this.#folder, randomUUID());
    const handle = openSync(file, 'wx', 0o600);
    let bytes = 0;
    const remove = (): void => {
      rmSync(file, { force: true });
      this.#bytes -= bytes;
      bytes = 0;
    };
    try {
      for await (const chunk of chunks) {
        this.#bytes += chunk.length;
        bytes += chunk.length;
        if (bytes > limits.bodyBytesMax) throw tooLarge('the body', limits.bodyBytesMax);
        if (this.#bytes > limits.spoolBytesMax) throw tooLarge('bodies under way', limits.spoolBytesMax);
        // Synchronous on purpose: it is a copy in memory, and the thread pool belongs to the engine's queries.
        for (let at = 0; at < chunk.length;) at += writeSync(handle, chunk, at);
      }
    } catch (error) {
      closeSync(handle);
      remove();
      throw error;
    }
    closeSync(handle);
    return { file, bytes, remove };
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** What a killed engine left behind. One that another account has made stays. */
function removeOwn(folder: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false })?.uid !== process.getuid?.()) return;
  rmSync(folder, { recursive: true, force: true });
}

export function tooLarge(what: string, bytesMax: number): EngineException {
  return new EngineException(307, 'TOO_MANY_BYTES', `${what} may have ${String(bytesMax)} bytes at most`);
}

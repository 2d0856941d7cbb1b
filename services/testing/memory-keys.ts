/** The keys of an installation, without a topic: what is written is in the ring at once. */
import { Keys } from '../gateway/keys/keys.ts';
import { KeyRing, type FileKey } from '../gateway/keys/key-ring.ts';
import type { KeyChange } from '../../schemas/records.ts';

export interface MemoryKeysOptions {
  readonly fromFile: readonly FileKey[];
  /** ms */
  readonly now?: () => number;
}

export interface MemoryKeys {
  readonly keys: Keys;
  /** Everything that was written, in turn. */
  readonly written: readonly KeyChange[];
}

export function memoryKeys({ fromFile, now = Date.now }: MemoryKeysOptions): MemoryKeys {
  const ring = new KeyRing();
  for (const key of fromFile) ring.addFromFile(key);
  const written: KeyChange[] = [];
  let tail: Promise<unknown> = Promise.resolve();
  const apply = (change: KeyChange): void => {
    written.push(change);
    ring.apply(change);
  };
  const keys = new Keys({
    ring,
    now,
    writeUse: apply,
    write: async (change) => {
      await Promise.resolve();
      apply(change);
    },
    inTurn: (work) => {
      const turn = tail.then(work);
      tail = turn.catch(() => undefined);
      return turn;
    },
    replaceInFile: () => undefined,
  });
  return { keys, written };
}

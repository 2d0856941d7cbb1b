/**
 * The versions that definitions have had, newest first, as far as they are kept here; the `definitions` topic has all of
 * them for ever. What is forgotten first is the oldest of its workspace, and never what is in force. Pure.
 */
import type { Definition } from '../../schemas/records.ts';
import type { StoredDefinition } from './definitions.ts';

export interface DefinitionVersion {
  readonly version: number;
  /** When it was stored, ms. */
  readonly at: number;
  /** undefined: with this version it was deleted. */
  readonly stored: StoredDefinition | undefined;
}

/** Of one definition. */
export const versionsMax = 100;
/** Of all definitions of a workspace, in characters of their JSON; the newest of each come on top. */
export const formerCharsMax = 8 * 1_024 * 1_024;

interface Entry extends DefinitionVersion {
  readonly key: string;
  readonly chars: number;
}

interface Kept {
  /** All but the newest of each, oldest first. */
  readonly former: Set<Entry>;
  formerChars: number;
}

export class DefinitionVersions {
  readonly #byKey = new Map<string, Entry[]>();
  readonly #byWorkspace = new Map<string, Kept>();
  readonly #charsMax: number;

  constructor(charsMax = formerCharsMax) {
    this.#charsMax = charsMax;
  }

  /** @param record one that counts. @param stored what is in force since; undefined: it was deleted. */
  apply(record: Definition, stored: StoredDefinition | undefined): void {
    const { kind, workspace, id, version, at, body } = record;
    const key = keyOf(kind, workspace, id);
    const entry: Entry = { key, version, at, stored, chars: body?.length ?? 0 };
    const [newest, ...older] = this.#byKey.get(key) ?? [];
    const kept = this.#keptOf(workspace);
    if (newest !== undefined) {
      kept.former.add(newest);
      kept.formerChars += newest.chars;
    }
    const all = [entry, ...(newest === undefined ? [] : [newest, ...older])];
    this.#byKey.set(key, all);
    const last = all[versionsMax];
    if (last !== undefined) this.#forget(kept, last);
    for (const oldest of kept.former) {
      if (kept.formerChars <= this.#charsMax) break;
      this.#forget(kept, oldest);
    }
  }

  /** Newest first; one of version 1 at the end says that all are here. */
  of(kind: Definition['kind'], workspace: string, id: string): readonly DefinitionVersion[] {
    return this.#byKey.get(keyOf(kind, workspace, id)) ?? [];
  }

  #keptOf(workspace: string): Kept {
    let kept = this.#byWorkspace.get(workspace);
    if (kept === undefined) {
      kept = { former: new Set(), formerChars: 0 };
      this.#byWorkspace.set(workspace, kept);
    }
    return kept;
  }

  #forget(kept: Kept, entry: Entry): void {
    const all = this.#byKey.get(entry.key) ?? [];
    this.#byKey.set(
      entry.key,
      all.filter((other) => other !== entry),
    );
    if (kept.former.delete(entry)) kept.formerChars -= entry.chars;
  }
}

function keyOf(kind: string, workspace: string, id: string): string {
  return `${kind}/${workspace}/${id}`;
}

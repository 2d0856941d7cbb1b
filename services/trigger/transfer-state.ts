/** A moved state on trigger.transfers: JSON, cut into parts that a record may hold. */
import { parseExactly } from '../runtime/exact-json.ts';
import type { Moved } from './decide/merge.ts';

/** Characters of a part; at most 4 bytes each, so a record stays below the log's usual 1 MB. */
export const partCharsMax = 200_000;

interface Part {
  readonly part: number;
  readonly parts: number;
  readonly text: string;
}

export function encodeMoved(moved: Moved): string[] {
  const text = JSON.stringify(moved);
  const parts = Math.ceil(text.length / partCharsMax);
  return Array.from({ length: parts }, (_, part) => {
    const piece: Part = { part, parts, text: text.slice(part * partCharsMax, (part + 1) * partCharsMax) };
    return JSON.stringify(piece);
  });
}

/** Parts come in order; the last says that it is the last. */
export function isWhole(states: readonly string[]): boolean {
  const last = states.at(-1);
  if (last === undefined) return false;
  const { part, parts } = decodePart(last);
  if (part + 1 !== states.length) {
    throw new RangeError(`part ${String(part)} of a moved state is number ${String(states.length)} to come`);
  }
  return states.length === parts;
}

export function wholeOf(states: readonly string[]): Moved {
  return parseExactly(states.map((state) => decodePart(state).text).join('')) as Moved; // written by encodeMoved
}

function decodePart(state: string): Part {
  return JSON.parse(state) as Part; // written by encodeMoved
}

/** Where two JSON values differ, by JSON pointer: of objects member by member, of lists place by place. Pure. */
import { pointerTo } from '../rules/faults.ts';
import { isJsonObject } from '../rules/paths.ts';

export interface Difference {
  readonly pointer: string;
  /** Absent: it was not there. */
  readonly from?: unknown;
  /** Absent: it is not there any more. */
  readonly to?: unknown;
}

/** In the order of the first, then what only the second has; `differencesMax` at most. */
export function differences(from: unknown, to: unknown, differencesMax: number): readonly Difference[] {
  const found: Difference[] = [];
  compare(from, to, '', (one) => {
    if (found.length < differencesMax) found.push(one);
  });
  return found;
}

function compare(from: unknown, to: unknown, pointer: string, tell: (one: Difference) => void): void {
  if (isJsonObject(from) && isJsonObject(to)) {
    for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
      compareAt(own(from, key), own(to, key), pointerTo(pointer, key), tell);
    }
  } else if (Array.isArray(from) && Array.isArray(to)) {
    for (let place = 0; place < Math.max(from.length, to.length); place += 1) {
      compareAt(from[place], to[place], pointerTo(pointer, place), tell);
    }
  } else if (JSON.stringify(from) !== JSON.stringify(to)) tell({ pointer, from, to });
}

/** JSON has no undefined, so that says that nothing is there. */
function compareAt(from: unknown, to: unknown, pointer: string, tell: (one: Difference) => void): void {
  if (from === undefined) tell({ pointer, to });
  else if (to === undefined) tell({ pointer, from });
  else compare(from, to, pointer, tell);
}

function own(value: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

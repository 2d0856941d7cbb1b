/** Values inside JSON by path. Only own keys of objects are seen, so `__proto__` is a key like any other. */
import { ExactNumber, parseExactly } from '../runtime/exact-json.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
  );
}

/**
 * The value at a path: the key as it is written if the object has it, else dots lead into objects (`cart.value`).
 * undefined: missing. null counts as missing, because Customer.io clients send null for what is not set.
 */
export function valueAt(object: JsonObject, path: string): unknown {
  if (Object.hasOwn(object, path)) return object[path] ?? undefined;
  if (!path.includes('.')) return undefined;
  let at: unknown = object;
  for (const key of path.split('.')) {
    if (!isJsonObject(at) || !Object.hasOwn(at, key)) return undefined;
    at = at[key];
  }
  return at ?? undefined;
}

const CHARS_A_UNIT = 100;
let unitsTaken = 0;
const countOne = (): void => {
  unitsTaken += 1;
};

/**
 * What reading what was sent took since the process began, in units of a workspace's share (runtime/task/share/share.ts): so
 * many letters are one, and so is each value of a text that is read value by value. Only grows: who wants to know what a
 * record took asks before and after. Definitions and what is stored are read elsewhere, and not counted: how often that is
 * depends on what is remembered, and a replay must count the same.
 */
export function readUnits(): number {
  return unitsTaken;
}

/** A JSON object's text as an object, with its numbers exact; an empty one for null and for anything that is not an object. */
export function parseJsonObject(text: string | null): JsonObject {
  if (text === null) return {};
  unitsTaken += Math.floor(text.length / CHARS_A_UNIT);
  const value: unknown = parseExactly(text, countOne);
  return isJsonObject(value) ? value : {};
}

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

/** A JSON object's text as an object, with its numbers exact; an empty one for null and for anything that is not an object. */
export function parseJsonObject(text: string | null): JsonObject {
  if (text === null) return {};
  const value: unknown = parseExactly(text);
  return isJsonObject(value) ? value : {};
}

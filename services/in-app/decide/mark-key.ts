/**
 * Names what a condition remembers of a visitor: by what the condition says, and not by where it stands or by a version. So an
 * edit elsewhere in the message loses nothing: who has bought stays known to `suppress` when a word is added to the audience.
 */
import { createHash } from 'node:crypto';
import type { CountedCondition } from '../../rules/condition.ts';
import { isJsonObject } from '../../rules/paths.ts';

const keyChars = 8;

/** @param body of the definition that has the condition. */
export function markKey({ type, pointer }: CountedCondition, body: unknown): string {
  const said = pointer.split('/').slice(1).reduce(within, body);
  if (!isJsonObject(said)) return pointer;
  // The latest events are kept however old they are: how old they may be is asked of them later.
  const kept = type === 'event' ? { ...said, within: undefined } : said;
  return createHash('sha256').update(JSON.stringify(kept)).digest('base64url').slice(0, keyChars);
}

function within(value: unknown, part: string): unknown {
  const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
  if (Array.isArray(value)) return value[Number(key)];
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/**
 * Whom a call names under the name that the other API has for it (`user_id` on Pipelines, `anonymousId` on Track): it is
 * not read, so the call may be a visitor's that should be a person's, or nobody's. Pure.
 */
import type { NotedCall } from './corrections.ts';
import type { SentObject } from './json-text.ts';

/** By the name that is read; a list, since every call of a visitor is looked at for it. */
const SPELLINGS = {
  userId: ['user_id', 'userID', 'userid', 'UserId'],
  anonymousId: ['anonymous_id', 'anonymousID', 'anonymousid', 'AnonymousId'],
  anonymous_id: ['anonymousId', 'anonymousID', 'anonymousid', 'anonymous-id'],
} as const;

/** Notes each that stands in the place of one of `names`. */
export function noteMisspelt(
  call: Pick<NotedCall, 'corrections'>,
  { value }: SentObject,
  names: readonly (keyof typeof SPELLINGS)[],
): void {
  for (const name of names) {
    if (isSaid(value[name])) continue;
    const field = SPELLINGS[name].find((each) => isSaid(value[each]));
    if (field === undefined) continue;
    call.corrections.push({ field, sent: value[field], kept: null, why: 'misspelt_name' });
  }
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

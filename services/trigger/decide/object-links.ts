/** To which objects a person came to belong, and to which no more. Pure. */
import type { Kept } from './effects.ts';
import type { ObjectKey } from './objects.ts';
import { keyOf } from './relationships.ts';

export function objectLinks(before: readonly ObjectKey[], after: readonly ObjectKey[]): readonly Kept[] {
  if (before === after) return [];
  const [old, now] = [new Set(before.map(keyOf)), new Set(after.map(keyOf))];
  const gone = before.filter((each) => !now.has(keyOf(each)));
  const come = after.filter((each) => !old.has(keyOf(each)));
  return [
    ...gone.map((object) => ({ type: 'object_unlinked', object: nameOf(object) }) as const),
    ...come.map((object) => ({ type: 'object_linked', object: nameOf(object) }) as const),
  ];
}

function nameOf({ object_type_id, object_id }: ObjectKey): ObjectKey {
  return { object_type_id, object_id };
}

/** A segment as the App API shows it. Ids are numbers where they are written as numbers, and names otherwise. Pure. */
import type { StoredDefinition } from '../runtime/definitions.ts';

export function segmentOf({ id, version, at, body }: StoredDefinition) {
  const { name, description, type } = body as { name?: string; description?: string; type?: string }; // checked at PUT
  return {
    id: shownId(id),
    deduplicate_id: `${id}:${String(version)}`,
    name: name ?? id,
    description: description ?? '',
    type: type === 'manual' ? 'manual' : 'dynamic',
    updated_at: Math.floor(at / 1_000),
  };
}

/** Clients of Customer.io take ids for numbers. */
export function shownId(id: string): number | string {
  return /^[1-9]\d{0,14}$/.test(id) ? Number(id) : id;
}

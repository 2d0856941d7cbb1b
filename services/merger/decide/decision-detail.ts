/** Reads the detail of identity's decisions (schemas/avro/IdentityDecision.avsc). What is not as it says is left out. */
import type { Identifier } from '../../../schemas/lanes.ts';

/** Identifiers in a list of {kind, value}. */
export function identifiersIn(detail: string | null, list: 'freed' | 'conflicts'): readonly Identifier[] {
  return listIn(detail, list).filter(isIdentifier);
}

export function anonymousIdsIn(detail: string | null): readonly string[] {
  return listIn(detail, 'anonymous_ids').filter((id) => typeof id === 'string');
}

function listIn(detail: string | null, name: string): readonly unknown[] {
  const parsed: unknown = detail === null ? null : JSON.parse(detail);
  if (typeof parsed !== 'object' || parsed === null) return [];
  const list = (parsed as Record<string, unknown>)[name]; // an object, by the line above
  return Array.isArray(list) ? (list as readonly unknown[]) : [];
}

function isIdentifier(value: unknown): value is Identifier {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('value' in value)) return false;
  const { kind, value: text } = value;
  return (kind === 'id' || kind === 'email' || kind === 'cio_id') && typeof text === 'string';
}

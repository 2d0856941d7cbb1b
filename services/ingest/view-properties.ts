/**
 * What a Pipelines page or screen says beside its properties. A page that has an address is named by it, and the name and
 * the category that the client gave it would be lost; so they are kept among the properties, where the client's own
 * properties of these names go before. Pure.
 */
import { emptyObject, type SentObject } from './json-text.ts';

const BESIDE = ['name', 'category'] as const;

/** The properties with what stands beside them; null when nothing does. @param named what names the view. */
export function viewProperties(body: SentObject, named: unknown): string | null {
  const properties = body.object('properties') ?? emptyObject;
  const kept = BESIDE.flatMap((field) => {
    const value = body.value[field];
    const isSaid = typeof value === 'string' && value.trim() !== '' && !(field === 'name' && value === named);
    return isSaid && !Object.hasOwn(properties.value, field) ? [[field, value] as const] : [];
  });
  return kept.length === 0 ? null : properties.amended([], Object.fromEntries(kept)).text;
}

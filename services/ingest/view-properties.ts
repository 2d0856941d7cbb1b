/**
 * What a Pipelines page or screen says beside its properties. A page that has an address is named by it, and the name and
 * the category that the client gave it would be lost, and so would a name that is cut; so they are kept whole among the
 * properties, where the client's own properties of these names go before. Pure.
 */
import { emptyObject, type SentObject } from './json-text.ts';

const BESIDE = ['name', 'category'] as const;

/** The properties with what stands beside them; null when nothing does. @param named what names the view, as it is kept. */
export function viewProperties(body: SentObject, named: string | null): string | null {
  const properties = body.object('properties') ?? emptyObject;
  const kept = BESIDE.flatMap((field) => {
    const value = body.value[field];
    const said = typeof value === 'string' ? value.trim() : '';
    const isSaid = said !== '' && !(field === 'name' && said === named);
    return isSaid && !Object.hasOwn(properties.value, field) ? [[field, value] as const] : [];
  });
  return kept.length === 0 ? null : properties.amended([], Object.fromEntries(kept)).text;
}

/** The one maker of records for keys.changed. */
import type { KeyChange } from './records.ts';

type Named = Pick<KeyChange, 'key_id' | 'change' | 'at'>;

/** Field by field, as in identity-request.ts. */
export function keyChange(fields: Named & Partial<KeyChange>): KeyChange {
  return {
    key_id: fields.key_id,
    change: fields.change,
    at: fields.at,
    by: fields.by ?? '',
    workspace: fields.workspace ?? '',
    kind: fields.kind ?? 'unknown',
    name: fields.name ?? '',
    site_id: fields.site_id ?? null,
    digest: fields.digest ?? null,
  };
}

/**
 * What a workspace has written of definitions on a day. The topic keeps all of them for ever, and every service reads it
 * from its beginning, so what one key can write is bounded.
 */
import type { Definition } from '../../schemas/records.ts';
import { CodedError } from '../runtime/errors.ts';
import { DayCounts, dayLeftS } from './usage/day-counts.ts';

/** A thousand of the largest, or sixty thousand usual ones. */
export const definitionDayBytesMax = 64 * 1_024 * 1_024;
/** What stands around a body, and what a deletion is counted as. */
const recordBytes = 500;

type Written = Pick<Definition, 'workspace' | 'body' | 'at'>;

export class DefinitionDays {
  readonly #bytes = new DayCounts();

  apply({ workspace, body, at }: Written): void {
    this.#bytes.add(workspace, at, bytesOf(body));
  }

  /** @throws CodedError `definitions_day_full` when there is no room for it on its day. */
  take({ workspace, body, at }: Written): void {
    if (this.#bytes.of(workspace, at) + bytesOf(body) <= definitionDayBytesMax) return;
    const message = `could not write definitions: this workspace has written ${String(definitionDayBytesMax)} bytes of them today`;
    throw new CodedError('definitions_day_full', message, { retryAfterS: dayLeftS(at) });
  }
}

function bytesOf(body: string | null): number {
  return recordBytes + (body === null ? 0 : Buffer.byteLength(body));
}

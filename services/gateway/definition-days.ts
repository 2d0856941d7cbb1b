/**
 * What a workspace has written of definitions on a day. The topic keeps all of them for ever, and every service reads it
 * from its beginning, so what one key can write is bounded. Counted from the topic itself: all gateways come to the same,
 * and so does one that has just started.
 */
import type { Definition } from '../../schemas/records.ts';
import { CodedError } from '../runtime/errors.ts';

/** A thousand of the largest, or sixty thousand usual ones. */
export const definitionDayBytesMax = 64 * 1_024 * 1_024;
/** What stands around a body, and what a deletion is counted as. */
const recordBytes = 500;
const DAY_MS = 86_400_000;

type Written = Pick<Definition, 'workspace' | 'body' | 'at'>;

export class DefinitionDays {
  /** By workspace, of the last day (UTC) on which it wrote. */
  readonly #days = new Map<string, { readonly day: number; readonly bytes: number }>();

  apply({ workspace, body, at }: Written): void {
    const day = Math.floor(at / DAY_MS);
    const last = this.#days.get(workspace);
    if (last !== undefined && last.day > day) return;
    const before = last?.day === day ? last.bytes : 0;
    this.#days.set(workspace, { day, bytes: before + bytesOf(body) });
  }

  /** @throws CodedError `definitions_day_full` when there is no room for it on its day. */
  take({ workspace, body, at }: Written): void {
    const last = this.#days.get(workspace);
    const before = last?.day === Math.floor(at / DAY_MS) ? last.bytes : 0;
    if (before + bytesOf(body) <= definitionDayBytesMax) return;
    const message = `could not write definitions: this workspace has written ${String(definitionDayBytesMax)} bytes of them today`;
    const retryAfterS = Math.ceil((DAY_MS - (at % DAY_MS)) / 1_000);
    throw new CodedError('definitions_day_full', message, { retryAfterS });
  }
}

function bytesOf(body: string | null): number {
  return recordBytes + (body === null ? 0 : Buffer.byteLength(body));
}

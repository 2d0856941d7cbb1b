/**
 * What events that queue have asked ahead of their turn, and the answers that have come. No merge or split comes between
 * such an answer and its use, since those wait until everything before them is done.
 *
 * Kept in the keyed store under `o/`, by lane: `number` for an answer, `@offset` for the number that an event was given
 * after it had queued. (One that asks as it comes has its number in the queue.)
 */
import type { KeyedStore } from '../../runtime/store/ports.ts';
import type { Answer } from '../decide/decide.ts';

const FROM = 'o/';
const TO = 'o0';

export class AheadAnswers {
  readonly #keyed: KeyedStore;
  /** Most partitions of most days: nothing asked ahead, and no look-up is needed. */
  #any: boolean;

  constructor(keyed: KeyedStore) {
    this.#keyed = keyed;
    this.#any = keyed.scan(FROM, TO, 1).length > 0;
  }

  /** The event with this offset has asked under this number. */
  asked(hex: string, offset: number, number: number): void {
    this.#put(numberKey(hex, offset), number);
  }
  /** 0 for an event that has not asked. */
  numberOf(hex: string, offset: number): number {
    return (this.#get(numberKey(hex, offset)) as number | undefined) ?? 0; // written by asked
  }

  keep(hex: string, answer: Answer): void {
    this.#put(answerKey(hex, answer.number), answer);
  }
  /** The event's turn has come: gives what it was answered, if it was, and forgets it. */
  take(hex: string, number: number, offset: number): Answer | undefined {
    const key = answerKey(hex, number);
    const answer = this.#get(key) as Answer | undefined; // written by keep
    for (const done of [key, numberKey(hex, offset)]) this.#keyed.delete(done);
    return answer;
  }

  #get(key: string): unknown {
    const bytes = this.#any ? this.#keyed.get(key) : undefined;
    return bytes && JSON.parse(bytes.toString());
  }
  #put(key: string, value: unknown): void {
    this.#keyed.put(key, Buffer.from(JSON.stringify(value)));
    this.#any = true;
  }
}

function answerKey(hex: string, number: number): string {
  return `${FROM}${hex}/${String(number)}`;
}
function numberKey(hex: string, offset: number): string {
  return `${FROM}${hex}/@${String(offset)}`;
}

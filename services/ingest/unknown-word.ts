/** A word of a closed list that is not in it: what may have been meant, else what there is. Pure. */
import { nearestName } from '../runtime/nearest-name.ts';
import { refused, type Refusal } from './translation.ts';

/** A longer one is told cut, and compared with nothing. */
const wordCharsMax = 40;

/** @param what before the word: `action`. */
export function unknownWord(
  field: string,
  {
    what = field,
    word,
    known,
  }: { readonly what?: string; readonly word: string; readonly known: readonly string[] },
): Refusal {
  const isLong = word.length > wordCharsMax;
  const shown = isLong ? `${word.slice(0, wordCharsMax)}…` : word;
  const meant = isLong ? undefined : nearestName(word, known);
  const hint = meant === undefined ? `it is one of ${known.join(', ')}` : `did you mean ${meant}?`;
  return refused('invalid_call', field, `${what} ${shown} is not known: ${hint}`);
}

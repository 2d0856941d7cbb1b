/** What is asked of one person: who, with which key, as of when. Pure. */
import type { Fault } from '../../../schemas/http/app.ts';
import { timeForms, timeOf } from '../query-times.ts';

export interface AskedOfPerson {
  readonly person: string;
  readonly key: string | null;
  /** ms; null: now. */
  readonly at: number | null;
}

export function readAsked(
  kind: 'segment' | 'journey',
  { person, key, at }: Record<string, unknown>,
): AskedOfPerson | { readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  if (typeof person !== 'string' || person === '') {
    const message = 'person is an id, an email or a cio_id';
    faults.push({ pointer: '/person', code: 'required', message });
  }
  if (key !== undefined && (typeof key !== 'string' || kind === 'segment')) {
    const message = 'key is a value of the key of a journey';
    faults.push({ pointer: '/key', code: 'wrong_type', message });
  }
  const time = at === undefined ? null : timeOf(at);
  if (time === undefined) {
    faults.push({ pointer: '/at', code: 'wrong_type', message: `at is ${timeForms}` });
  }
  if (faults.length > 0 || typeof person !== 'string' || time === undefined) return { faults };
  return { person, key: typeof key === 'string' ? key : null, at: time };
}

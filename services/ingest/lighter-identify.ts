/**
 * An identify that is over the limit of a call because of a trait or two, such as a picture: those cost themselves, and the
 * person, the email and the claim stand (permissive mode). Pure.
 */
import { attributeValueBytesMax, callBytesMax } from '../../schemas/http/limits.ts';
import type { NotedCall } from './corrections.ts';
import type { SentObject } from './json-text.ts';
import { isLonger } from './validate.ts';

/** The call without its traits over the limit of one; undefined when it is over the limit of a call all the same. */
export function lighterIdentify(call: NotedCall, sent: SentObject): SentObject | undefined {
  const traits = sent.object('traits');
  if (traits === undefined) return undefined;
  const long = Object.keys(traits.value).filter((name) => {
    const value = traits.value[name];
    return isLonger(typeof value === 'string' ? value : (traits.textOf(name) ?? ''), attributeValueBytesMax);
  });
  const lighter = sent.replaced('traits', traits.amended(long));
  if (Buffer.byteLength(lighter.text) > callBytesMax) return undefined;
  for (const name of long) {
    call.corrections.push({
      field: `traits.${name}`,
      sent: traits.value[name],
      kept: null,
      why: 'over_limit',
    });
  }
  return lighter;
}

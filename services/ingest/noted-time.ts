/** What was read as a time, or a note that says why there is none. */
import type { NotedCall } from './corrections.ts';
import type { SentObject } from './json-text.ts';
import { createdTimes, looksLikeMs, type ReadTime } from '../runtime/times.ts';

/** ms; undefined for what says no time, which is noted unless nothing was sent. */
export function timeOrNote(
  call: NotedCall,
  { field, sent }: { readonly field: string; readonly sent: unknown },
  read: ReadTime,
): number | undefined {
  switch (read.type) {
    case 'absent':
      return undefined;
    case 'time': {
      const kept = new Date(read.ms).toISOString();
      const why = whyOtherwise(sent, read);
      if (why !== undefined) call.corrections.push({ field, sent, kept, why });
      return read.ms;
    }
    case 'zero':
    case 'unreadable': {
      call.corrections.push({ field, sent, kept: 'the receive time', why: NO_TIME[read.type] });
      return undefined;
    }
  }
}

const NO_TIME = { zero: 'zero_time', unreadable: 'unreadable_time' } as const;

function whyOtherwise(sent: unknown, { otherwise }: Extract<ReadTime, { type: 'time' }>) {
  return otherwise === 'time_out_of_range' && looksLikeMs(sent) ? 'ms_as_seconds' : otherwise;
}

/** When the person signed up: what says no time is an attribute and nothing else, and whoever sent it is to learn so. */
export function noteCreatedAt(call: NotedCall, attributes: SentObject, within: '' | 'traits.'): void {
  for (const name of ['created_at', 'createdAt'] as const) {
    const sent = attributes.value[name];
    const read = createdTimes[name](sent);
    const field = `${within}${name}`;
    switch (read.type) {
      case 'time': {
        const why = whyOtherwise(sent, read);
        const kept = why === 'seconds_as_ms' ? new Date(read.ms).toISOString() : ATTRIBUTE_ONLY;
        if (why !== undefined) call.corrections.push({ field, sent, kept, why });
        break;
      }
      case 'absent':
        // Nothing and '' take the attribute back; white space is a value, and no time.
        if (typeof sent !== 'string' || sent === '') break;
        call.corrections.push({ field, sent, kept: ATTRIBUTE_ONLY, why: NO_TIME.unreadable });
        break;
      case 'zero':
      case 'unreadable':
        call.corrections.push({ field, sent, kept: ATTRIBUTE_ONLY, why: NO_TIME[read.type] });
    }
  }
}
const ATTRIBUTE_ONLY = 'an attribute only; created_at of the person stays as it was';

/** What was read as a time, or a note that says why there is none. */
import type { NotedCall } from './corrections.ts';
import type { ReadTime } from '../runtime/times.ts';

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
      if (read.otherwise !== undefined) call.corrections.push({ field, sent, kept, why: read.otherwise });
      return read.ms;
    }
    case 'zero':
    case 'unreadable': {
      const why = read.type === 'zero' ? 'zero_time' : 'unreadable_time';
      call.corrections.push({ field, sent, kept: 'the receive time', why });
      return undefined;
    }
  }
}

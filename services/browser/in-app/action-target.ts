/** What a button of a message does. Pure. */
import type { Action } from './offer.ts';

export type Target =
  | { readonly type: 'leads'; readonly url: string }
  | { readonly type: 'snoozes'; readonly minutes: number }
  | { readonly type: 'closes' }
  | { readonly type: 'stays' };

/** No script, and no address of the browser's own: what is filled in may be anything. */
const MAY_LEAD = /^(?:https?:\/\/|mailto:|tel:|\/|\.{1,2}\/|[?#])/i;

export function targetOf({ url, close, snooze }: Action): Target {
  const address = (url ?? '').trim();
  const gist = /^gist:\/\/(\w+)(?:\?(.*))?$/i.exec(address);
  const query = new URLSearchParams(gist?.[2] ?? '');
  const minutes = snooze ?? (gist?.[1] === 'snooze' ? Number(query.get('showIn')) : 0);
  if (minutes > 0) return { type: 'snoozes', minutes: Math.ceil(minutes) };
  const page = gist?.[1] === 'loadPage' ? (query.get('url') ?? '') : address;
  if (MAY_LEAD.test(page)) return { type: 'leads', url: page };
  return close === true || gist?.[1] === 'close' ? { type: 'closes' } : { type: 'stays' };
}

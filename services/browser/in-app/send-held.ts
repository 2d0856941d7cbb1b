/** Sends what waited for consent, under the message ids and times that it has: twice is once. */
import type { HeldEvents } from './held-events.ts';

export interface SendHeldOptions {
  readonly base: string;
  readonly writeKey: string;
  readonly held: HeldEvents;
  readonly analytics: { track(event: string, properties: Readonly<Record<string, unknown>>): unknown };
}

const batchEventsMax = 50;
const batchBytesMax = 400_000;

/** What gets no answer stays, and goes with the next page; so it does while the key is not known, or the workspace is full. */
export async function sendHeld({ base, writeKey, held, analytics }: SendHeldOptions): Promise<void> {
  const { events, left } = held.read();
  if (events.length + left.by_count + left.by_age === 0) return;
  let rest = [...events];
  let sent = 0;
  while (rest.length > 0) {
    const batch = rest.splice(0, batchEventsMax);
    while (batch.length > 1 && new Blob([JSON.stringify(batch)]).size > batchBytesMax)
      rest = [...batch.splice(-1), ...rest];
    try {
      const answer = await fetch(`${base}/v1/b`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain' },
        // When it is sent, so that a clock that is wrong is put right without losing when each happened.
        body: JSON.stringify({ writeKey, batch, sentAt: new Date().toISOString() }),
      });
      if (answer.ok) sent += batch.length;
      // What is wrong with a batch is wrong with it tomorrow, and those after it need not wait for that.
      else if (![400, 413].includes(answer.status)) return;
    } catch {
      return;
    }
  }
  held.forget();
  analytics.track('Consent Given', {
    sent,
    left_out_by_count: left.by_count,
    left_out_by_age: left.by_age,
  });
}

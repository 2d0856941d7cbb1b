/** What waited for consent is sent in batches that a server takes, and one that it refuses keeps none of the others back. */
import { afterEach, expect, test } from '@jest/globals';
import type { HeldEvent, HeldEvents } from './in-app/held-events.ts';
import { sendHeld } from './in-app/send-held.ts';

const own = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = own;
});

/** @param answer a status for the ids of a batch. */
async function sent(events: readonly HeldEvent[], answer: (ids: readonly string[]) => number) {
  const told: unknown[] = [];
  const batches: { ids: readonly string[]; bytes: number }[] = [];
  let isForgotten = false;
  globalThis.fetch = ((_url: string, { body }: { readonly body: string }) => {
    const ids = (JSON.parse(body) as { batch: { messageId: string }[] }).batch.map(({ messageId: id }) => id);
    batches.push({ ids, bytes: Buffer.byteLength(body) });
    return Promise.resolve(new Response('{}', { status: answer(ids) }));
  }) as unknown as typeof fetch; // as sendHeld calls it
  const held: Pick<HeldEvents, 'read' | 'forget'> = {
    read: () => ({ events, left: { by_count: 0, by_age: 0 } }),
    forget: () => {
      isForgotten = true;
    },
  };
  const analytics = { track: (_name: string, properties: object) => told.push(properties) };
  await sendHeld({ base: '', writeKey: 'k', held: held as HeldEvents, analytics }); // all that it asks of them
  return { batches, told, isForgotten };
}

const held = (count: number, text = ''): HeldEvent[] =>
  Array.from({ length: count }, (_, each) => ({ timestamp: '', messageId: `m${String(each)}`, text }));

test('a batch has at most 500 KB as the server counts them, whatever the letters', async () => {
  const { batches, isForgotten } = await sent(held(60, '買'.repeat(8_000)), () => 200);
  expect(Math.max(...batches.map(({ bytes }) => bytes))).toBeLessThan(500_000);
  expect(batches.flatMap(({ ids }) => ids)).toEqual(held(60).map(({ messageId: id }) => id));
  expect(isForgotten).toBe(true);
});

test('one that is refused for what it holds goes, and those after it are sent', async () => {
  const { batches, told, isForgotten } = await sent(held(120), (ids) => (ids.includes('m0') ? 400 : 200));
  expect(batches).toHaveLength(3);
  expect([isForgotten, told]).toEqual([true, [{ sent: 70, left_out_by_count: 0, left_out_by_age: 0 }]]);
});

test.each([401, 403, 429, 503])('what is answered %d stays for the next page', async (status) => {
  const { told, isForgotten } = await sent(held(3), () => status);
  expect([isForgotten, told]).toEqual([false, []]);
});

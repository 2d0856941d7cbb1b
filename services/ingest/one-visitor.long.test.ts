/**
 * One visitor at 1,000 events per second for a minute, on a whole installation: a kiosk, a stress test, a page that loops.
 * Others drop above 25 per second of a profile, or no longer merge above 83.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { StackCalls } from '../testing/stack-calls.ts';
import { startStack, type Stack } from '../testing/stack.ts';

const START_MS_MAX = 300_000;
const TEST_MS_MAX = 600_000;
const SECONDS = 60;
const EVENTS_PER_SECOND = 1_000;
const ROUNDS_PER_SECOND = 10;
/** Of a round: so many alone, the others in one batch behind them. */
const SINGLES = 5;
const SETTLE_ATTEMPTS_MAX = 12;

let stack: Stack;
let calls: StackCalls;
beforeAll(async () => {
  stack = await startStack();
  calls = new StackCalls(stack);
}, START_MS_MAX);
afterAll(() => stack.stop(), START_MS_MAX);

const event = (n: number) => ({
  anonymousId: 'kiosk',
  event: 'Pressed',
  messageId: `m${String(n)}`,
  properties: { n },
});

/** Events from `next` on, each call acknowledged before the next, so that the order is that of the numbers. */
async function round(next: number): Promise<number> {
  const size = EVENTS_PER_SECOND / ROUNDS_PER_SECOND;
  for (let n = next; n < next + SINGLES; n += 1) await taken(calls.browser('/t', event(n)));
  const batch = Array.from({ length: size - SINGLES }, (_, at) => ({
    type: 'track',
    ...event(next + SINGLES + at),
  }));
  await taken(calls.browser('/b', { batch }));
  return next + size;
}

async function taken(call: ReturnType<StackCalls['browser']>): Promise<void> {
  expect((await call).status).toBe(200);
}

async function settled(): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await calls.settled();
      return;
    } catch (error) {
      if (attempt >= SETTLE_ATTEMPTS_MAX) throw error;
    }
  }
}

test(
  'one visitor at 1,000 events per second for a minute, identified in the middle of it: none is dropped, and they are the person’s in the order of the calls',
  async () => {
    const start = performance.now();
    const rounds = SECONDS * ROUNDS_PER_SECOND;
    let sent = 0;
    for (let done = 0; done < rounds; done += 1) {
      if (done === rounds / 2) {
        const who = { anonymousId: 'kiosk', userId: 'hall', messageId: 'who' };
        await taken(calls.pipelines('/identify', who));
      }
      sent = await round(sent);
      const dueMs = start + ((done + 1) * 1_000) / ROUNDS_PER_SECOND;
      await sleep(Math.max(0, dueMs - performance.now()));
    }
    expect(sent).toBe(SECONDS * EVENTS_PER_SECOND);
    await settled();
    expect(await calls.rows('SELECT reason, count() FROM dropped GROUP BY reason')).toEqual([]);
    const kept = await calls.rows(
      `SELECT JSONExtractInt(assumeNotNull(properties), 'n') FROM events
       WHERE person_id IN (SELECT person_id FROM people WHERE id = 'hall') ORDER BY _partition, _offset`,
    );
    expect(kept).toHaveLength(sent);
    expect(kept.findIndex(([n], at) => n !== at)).toBe(-1);
    expect(await calls.rows('SELECT count() FROM anonymous_events')).toEqual([[0]]);
  },
  TEST_MS_MAX,
);

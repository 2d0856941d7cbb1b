/**
 * What happens when it is killed.
 *
 * `kill -9` asks nobody. Yet what was answered with 200 is kept, each event once and in its order, whichever process
 * dies and whenever. While one is gone the others go on as far as they can; the health routes say what is missing. The
 * long form of this chapter, with two hundred kills under load, is docs/reliability.md.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { serviceNames } from '../../infra/local/service-processes.ts';
import { StackCalls } from '../../services/testing/stack-calls.ts';
import { startStack, type Stack } from '../../services/testing/stack.ts';

const minuteMs = 60_000;
let stack: Stack;
let shop: StackCalls;
beforeAll(async () => {
  stack = await startStack();
  shop = new StackCalls(stack);
}, 3 * minuteMs);
afterAll(() => stack.stop(), minuteMs);

const taken = { status: 200, body: {} };
async function looks(event: string, messageId = event): Promise<void> {
  expect(await shop.pipelines('/track', { anonymousId: 'visitor', event, messageId })).toEqual(taken);
}
const names = async (view: string): Promise<readonly unknown[]> =>
  (await shop.rows(`SELECT name FROM ${view} ORDER BY _partition, _offset`)).map(([name]) => name);

describe('what happens when it is killed', () => {
  test(
    'the merger is gone: calls are answered as ever, and the health routes say who is missing',
    async () => {
      await looks('First');
      await stack.kill('merger');
      await looks('Second');
      const settled = await shop.app('GET', '/health/settled');
      expect(settled.status).toBe(503);
      const ready = await shop.app('GET', '/health/ready');
      expect(ready.status).toBe(503);
      expect(ready.body).toMatchObject({ parts: { merger: { ok: false }, trigger: { ok: true } } });
    },
    2 * minuteMs,
  );

  test(
    'it comes back and goes on where its last transaction ended: both are there, once, in order',
    async () => {
      await stack.restart('merger');
      await shop.settled();
      expect(await names('anonymous_events')).toEqual(['First', 'Second']);
    },
    2 * minuteMs,
  );

  test(
    'identity is gone when somebody says who they are: the claim waits, and counts from when it was made',
    async () => {
      await stack.kill('identity');
      await shop.pipelines('/identify', { anonymousId: 'visitor', userId: 'ada' });
      await looks('Third');
      await stack.restart('identity');
      await shop.settled();
      expect(await names('events')).toEqual(['First', 'Second', 'Third']);
      expect(await names('anonymous_events')).toEqual([]);
      expect(
        await shop.rows(
          `SELECT name FROM events WHERE received_at >= (SELECT linked_at FROM identities WHERE kind = 'anonymous_id')`,
        ),
      ).toEqual([['Third']]);
    },
    2 * minuteMs,
  );

  test(
    'the trigger is gone: what happens meanwhile is evaluated once it is back',
    async () => {
      const journey = { name: 'Hello', state: 'running', trigger: { event: 'Fourth' } };
      expect((await shop.app('PUT', '/v1/definitions/journeys/hello', journey)).status).toBe(200);
      await shop.settled();
      await stack.kill('trigger');
      await looks('Fourth');
      await stack.restart('trigger');
      await shop.settled();
      expect(await shop.rows('SELECT journey_id, trigger_message_id FROM journey_entries')).toEqual([
        ['hello', 'Fourth'],
      ]);
    },
    2 * minuteMs,
  );

  test(
    'the gateway is gone, and the client did not hear whether its call was taken: it sends it again, and it counts once',
    async () => {
      await looks('Fifth');
      await stack.kill('gateway');
      await expect(looks('Fifth')).rejects.toThrow();
      await stack.restart('gateway');
      await looks('Fifth');
      await shop.settled();
      expect(await names('events')).toEqual(['First', 'Second', 'Third', 'Fourth', 'Fifth']);
      expect(await shop.rows('SELECT reason, message_id FROM dropped')).toEqual([
        ['duplicate_message', 'Fifth'],
      ]);
    },
    2 * minuteMs,
  );

  test(
    'all but the gateway at once, with calls between: nothing is lost, nothing is there twice',
    async () => {
      const services = serviceNames.filter((name) => name !== 'gateway');
      await Promise.all(services.map((name) => stack.kill(name)));
      const sent = Array.from({ length: 50 }, (_, index) => `Look ${String(index)}`);
      for (const name of sent) await looks(name);
      for (const name of services) await stack.restart(name);
      await shop.settled();
      expect((await names('events')).slice(5)).toEqual(sent);
      expect(await shop.rows('SELECT count(), uniqExact(message_id) FROM events')).toEqual([[55, 55]]);
    },
    4 * minuteMs,
  );
});

/** Answers that nobody reads: counted by connection, by address and together, and given back on every way out. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { runs } from '../testing/runs.ts';
import { Unanswered, unansweredMax } from './unanswered.ts';

class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  destroyed = false;
  readonly answers: EventEmitter[] = [];
  constructor(address: string) {
    super();
    this.remoteAddress = address;
  }
  close(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

/** What is asked of them here is events and an address. */
const socketOf = (fake: FakeSocket) => fake as unknown as Socket;

function ask(unanswered: Unanswered, fake: FakeSocket): boolean {
  const answer = new EventEmitter();
  fake.answers.push(answer);
  return unanswered.note(socketOf(fake), answer as unknown as ServerResponse);
}

test('connections of one address that pile up are ended when they have together what they may, and single ones never', () => {
  const unanswered = new Unanswered({ perAddressMax: 100, openMax: 1_000 });
  const ofAddress = 2 * 100 + unansweredMax;
  const piling = Array.from({ length: 10 }, () => new FakeSocket('192.0.2.1'));
  let taken = 0;
  for (const fake of piling) {
    for (let each = 0; each < unansweredMax; each++) if (ask(unanswered, fake)) taken++;
  }
  expect(taken).toBeLessThanOrEqual(ofAddress + piling.length);
  for (let each = 0; each < 100; each++) expect(ask(unanswered, new FakeSocket('192.0.2.1'))).toBe(true);
  const other = new FakeSocket('192.0.2.2');
  for (let each = 0; each < unansweredMax; each++) expect(ask(unanswered, other)).toBe(true);
  expect(ask(unanswered, other)).toBe(false);
});

test('of all addresses together there are so many for each connection', () => {
  const unanswered = new Unanswered({ perAddressMax: 100, openMax: 100 });
  let taken = 0;
  for (let host = 0; host < 100; host++) {
    const fake = new FakeSocket(`192.0.2.${String(host)}`);
    for (let each = 0; each < unansweredMax; each++) if (ask(unanswered, fake)) taken++;
  }
  expect(taken).toBeLessThanOrEqual(2 * 100 + unansweredMax + 100);
});

test('what a connection sent with that was too much is not answered when it has closed', () => {
  const unanswered = new Unanswered({ perAddressMax: 100, openMax: 1_000 });
  const fake = new FakeSocket('192.0.2.1');
  for (let each = 0; each <= unansweredMax; each++) ask(unanswered, fake);
  fake.close();
  expect(ask(unanswered, fake)).toBe(false);
  const cutOff = new FakeSocket('192.0.2.1');
  ask(unanswered, cutOff);
  cutOff.close();
  expect(ask(unanswered, cutOff)).toBe(true);
  expect([unanswered.count, unanswered.addresses]).toEqual([0, 0]);
});

test('whatever ends first, answers or connections, nothing stays counted', async () => {
  const step = fc.record({ of: fc.nat(5), act: fc.constantFrom('ask', 'ask', 'ask', 'answer', 'close') });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
      const unanswered = new Unanswered({ perAddressMax: 2, openMax: 3 });
      const fakes = Array.from({ length: 6 }, (_, at) => new FakeSocket(`192.0.2.${String(at % 3)}`));
      for (const { of, act } of steps) {
        const fake = fakes[of];
        if (fake === undefined) continue;
        if (act === 'ask') ask(unanswered, fake);
        else if (act === 'answer') fake.answers.shift()?.emit('close');
        else if (!fake.destroyed) fake.close();
        expect(unanswered.count).toBeGreaterThanOrEqual(0);
      }
      for (const fake of fakes) {
        if (fake.destroyed) continue;
        if (fake.answers.length % 2 === 0) fake.close();
        else for (const answer of fake.answers) answer.emit('close');
      }
      await turn();
      expect([unanswered.count, unanswered.addresses]).toEqual([0, 0]);
    }),
    { numRuns: runs(300) },
  );
});

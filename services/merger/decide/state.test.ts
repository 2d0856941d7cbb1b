import { expect, test } from '@jest/globals';
import type { PersonId } from '../../../schemas/ids.ts';
import {
  BUSY,
  decodeLane,
  encodeLane,
  flagsOf,
  LINKED,
  newLane,
  WITHDRAWN,
  type LaneState,
} from './state.ts';

const ada = 'cio_ada' as PersonId;
const bob = 'cio_bob' as PersonId;

const busiest: LaneState = {
  work: { type: 'releasing', personId: ada, via: bob, claimedAt: 5, asOf: 6, cursor: 3, count: 2, oldest: 1 },
  requests: 7,
  queueCursor: 2,
  readyAt: 40,
  long: true,
  link: { personId: ada, claimedAt: 5, asOf: 6 },
  known: [{ identifier: { kind: 'email', value: '__proto__@x.org' }, personId: ada, at: 9, asOf: 6 }],
  decided: { fingerprint: 'f', personId: ada, at: 9, asOf: 6 },
  detours: [{ to: ada, via: bob, lastAt: 4 }],
  withdrawn: true,
};

test('a lane’s state survives being written down', () => {
  expect(decodeLane(encodeLane(busiest))).toEqual(busiest);
  expect(decodeLane(encodeLane(newLane))).toEqual(newLane);
  expect(decodeLane(encodeLane({ ...busiest, withdrawn: false }))).toEqual({ ...busiest, withdrawn: false });
});

test('a lane that another version wrote down is refused', () => {
  const before = JSON.parse(encodeLane(busiest).toString()) as unknown[];
  expect(() => decodeLane(Buffer.from(JSON.stringify(before.slice(1))))).toThrow('kept in format');
});

test('flags say what an event without identifier needs to know', () => {
  expect(flagsOf(newLane)).toBe(0);
  expect(flagsOf({ ...newLane, link: busiest.link })).toBe(LINKED);
  expect(flagsOf({ ...newLane, work: { type: 'asking', request: 'resolve', number: 1 } })).toBe(BUSY);
  expect(flagsOf({ ...newLane, withdrawn: true })).toBe(WITHDRAWN);
  expect(flagsOf(busiest)).toBe(LINKED | BUSY | WITHDRAWN);
});

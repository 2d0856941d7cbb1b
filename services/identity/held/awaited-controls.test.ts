import { expect, test } from '@jest/globals';
import { abandonMs } from '../../../schemas/control-markers.ts';
import { memoryStores } from '../../testing/memory/memory-stores.ts';
import { AwaitedControls } from './awaited-controls.ts';

test('calls heard of in one millisecond are given up in the order in which they were heard of, restarts or not', () => {
  const { keyed } = memoryStores({});
  const awaited = new AwaitedControls(keyed);
  for (const number of [5, 3, 10]) awaited.heard({ workspace: 'shop', number }, 1_000);
  const reopened = new AwaitedControls(keyed);
  awaited.heard({ workspace: 'shop', number: 1 }, 1_000);
  reopened.heard({ workspace: 'shop', number: 1 }, 1_000);
  const givenUp = (calls: AwaitedControls): (number | undefined)[] =>
    Array.from({ length: 4 }, () => calls.takeAbandoned(1_001 + abandonMs)?.number);
  expect(givenUp(reopened)).toEqual([5, 3, 10, 1]);
  expect(givenUp(awaited)).toEqual([5, 3, 10, 1]);
});

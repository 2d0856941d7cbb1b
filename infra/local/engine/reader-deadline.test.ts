import { expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../../services/testing/eventually.ts';
import { readerDeadline } from './reader-deadline.ts';

test('a query is ended at its time, and told of once when it cannot be', async () => {
  const said: string[] = [];
  const begin = (endMs: number, overdueMs: number): (() => void) =>
    readerDeadline({
      endMs,
      overdueMs,
      end: () => said.push('end'),
      tell: (seconds) => said.push(`${String(seconds)} s`),
    });
  begin(5, 5)();
  await sleep(50);
  expect(said).toEqual([]);

  const late = begin(5, 3_600_000);
  await eventually(() => said.length > 0);
  late();
  expect(said).toEqual(['end']);

  begin(5, 5);
  await eventually(() => said.length > 2);
  await sleep(50);
  expect(said).toEqual(['end', 'end', '0.01 s']);
});

import { expect, test } from '@jest/globals';
import { CodedError } from '../../errors.ts';
import { FailingReads } from './failing-reads.ts';
import type { FailingRead, LogReader } from '../ports.ts';

const error = new CodedError('log_unavailable', 'could not fetch: UNKNOWN_SERVER_ERROR');

test('what is not read for long is told once, as an error when it lasts, shown meanwhile, and told when it is over', () => {
  let failures: FailingRead[] = [];
  const lines: string[] = [];
  const line =
    (level: string) =>
    (fields: object, message: string): void => {
      lines.push([level, message, ...('places' in fields ? [fields.places] : [])].join(': '));
    };
  const reader = { failing: (ms: number) => failures.filter(({ forMs }) => forMs >= ms) };
  const reads = new FailingReads(reader as unknown as LogReader, {
    error: line('error'),
    warn: line('warn'),
    info: line('info'),
  });
  const fails = (...forMs: number[]): void => {
    failures = forMs.map((ms, partition) => ({ topic: 'eventsCollected', partition, forMs: ms, error }));
    reads.tell();
    reads.tell();
  };
  fails();
  fails(5_000);
  expect(reads.detail).toBeUndefined();
  fails(31_000);
  expect(reads.detail).toBe(
    'reads nothing of eventsCollected 0 for 31 s (could not fetch: UNKNOWN_SERVER_ERROR)',
  );
  fails(60_000);
  fails(61_000, 30_000);
  expect(reads.now).toHaveLength(2);
  expect(reads.detail).toContain('and nothing of 1 other');
  fails(181_000, 150_000);
  fails(200_000, 170_000);
  fails();
  expect(reads.detail).toBeUndefined();
  expect(lines).toEqual([
    'warn: reads nothing of some partitions: eventsCollected 0',
    'warn: reads nothing of some partitions: eventsCollected 0, eventsCollected 1',
    'error: reads nothing of some partitions: eventsCollected 0, eventsCollected 1',
    'info: reads every partition again',
  ]);
});

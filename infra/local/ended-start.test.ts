import { expect, test } from '@jest/globals';
import { errorEntry } from '../../schemas/errors.ts';
import { CodedError } from '../../services/runtime/errors.ts';
import { endedStart } from './ended-start.ts';

test('a start that a passing fault has ended says that it ended, and nothing of going on by itself', () => {
  const told = endedStart(
    new CodedError('log_unavailable', 'could not make topics: NOT_LEADER_FOR_PARTITION'),
  );
  expect(told).toMatch(/^could not make topics: NOT_LEADER_FOR_PARTITION\. This start has ended/);
  expect(told).toContain('run npm start again');
  expect(told).not.toContain('by itself');
});

test('what is known of the one fault is said beside it', () => {
  const told = endedStart(new CodedError('log_unavailable', 'could not', { hint: 'Its log is x' }));
  expect(told).toMatch(/^could not\. Its log is x\. This start has ended/);
});

test('a fault that stays is told with what a person can do', () => {
  const told = endedStart(new CodedError('port_taken', 'could not listen on 8080'));
  expect(told).toBe(`could not listen on 8080. ${errorEntry('port_taken').todo}`);
});

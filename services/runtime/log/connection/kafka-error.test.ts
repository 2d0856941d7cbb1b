import { expect, test } from '@jest/globals';
import { kafkaError, kafkaErrorName } from './kafka-error.ts';

test('fenced, timed out and forgotten producers are all one thing: dead', () => {
  for (const code of [47, 48, 49, 90, 120])
    expect(kafkaError('commit', code)).toMatchObject({ code: 'producer_dead', retryable: false });
});

test('codes above those that kafkajs knows have their names', () => {
  expect([47, 88, 90, 105, 120].map(kafkaErrorName)).toEqual([
    'INVALID_PRODUCER_EPOCH',
    'UNSTABLE_OFFSET_COMMIT',
    'PRODUCER_FENCED',
    'TRANSACTIONAL_ID_NOT_FOUND',
    'TRANSACTION_ABORTABLE',
  ]);
});

test('a leader that moves can be asked again, an offset that is gone cannot', () => {
  expect(kafkaError('fetch', 6)).toMatchObject({ code: 'log_unavailable', retryable: true });
  expect(kafkaError('fetch', 1)).toMatchObject({ code: 'offset_out_of_range', retryable: false });
});

import { expect, test } from '@jest/globals';
import { topicIds, topics } from '../../schemas/topics.ts';
import { topicRecords } from './topic-records.ts';

test('the records of topics are the same as a type and as text', () => {
  expect(topicRecords).toEqual(Object.fromEntries(topicIds.map((id) => [id, topics[id].record])));
});

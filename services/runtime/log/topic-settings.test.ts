/** How many copies there are of what is acknowledged, and how many must have it: by settings, never by chance. */
import { expect, test } from '@jest/globals';
import { topics } from '../../../schemas/topics.ts';
import { copiesFor, topicSettings } from './topic-settings.ts';

test.each([
  [{}, 1, { replicas: 1, minInSync: 1 }],
  [{}, 2, { replicas: 2, minInSync: 1 }],
  [{}, 5, { replicas: 3, minInSync: 2 }],
  [{ replicas: 3 }, 3, { replicas: 3, minInSync: 2 }],
  [{ replicas: 5, minInSync: 3 }, 6, { replicas: 5, minInSync: 3 }],
  [{ minInSync: 2 }, 2, { replicas: 2, minInSync: 2 }],
])('settings %j on %i brokers make %j', (wanted, brokers, copies) => {
  expect(copiesFor(wanted, brokers)).toEqual(copies);
});

test('topics of three copies are not made with fewer because a broker is away just now', () => {
  expect(() => copiesFor({ replicas: 3 }, 1)).toThrow(
    'could not create topics of 3 copies: the cluster has 1 broker now',
  );
});

test('more in step than there are copies is refused: nothing would ever be acknowledged', () => {
  expect(() => copiesFor({ minInSync: 2 }, 1)).toThrow('HINDSIGHT_MIN_INSYNC_REPLICAS is 2');
});

test('no topic lets a leader be elected that lacks records, whatever the copies', () => {
  for (const declaration of Object.values(topics))
    expect(topicSettings(declaration, { replicas: 3, minInSync: 2 })).toMatchObject({
      'min.insync.replicas': '2',
      'unclean.leader.election.enable': 'false',
    });
});

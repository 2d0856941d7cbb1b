/** The page is told of its visitor, and of nobody whom the visitor says they are. */
import { expect, test } from '@jest/globals';
import { tellable } from './story.ts';

const [early, came, later] = [
  '2026-01-01T00:00:00.000Z',
  '2026-02-01T00:00:00.000Z',
  '2026-02-02T00:00:00.000Z',
];
const event = { message_id: 'm1', name: 'Product Viewed' };

test('what they did, that they were claimed, and what came of it; no ids, no other browsers, nothing of before', () => {
  const steps = [
    {
      at: early,
      stage: 'asked',
      message_id: 'm0',
      detail: { facts: [{ identifier: 'victim@shop.example' }] },
    },
    { at: early, stage: 'claimed', person_id: 'cio_1', detail: { identifier: 'another-browser' } },
    {
      at: early,
      stage: 'segment',
      person_id: 'cio_1',
      detail: { segment_id: 'of-before', change: 'entered' },
    },
    { at: came, stage: 'received', ...event, detail: { type: 'event', anonymous_id: 'mine' } },
    {
      at: later,
      stage: 'asked',
      detail: { facts: [{ identifier_kind: 'email', identifier: 'victim@shop.example' }] },
    },
    {
      at: later,
      stage: 'claimed',
      message_id: 'm2',
      person_id: 'cio_1',
      detail: { other_person_id: 'cio_2' },
    },
    {
      at: later,
      stage: 'merged',
      ...event,
      person_id: 'cio_1',
      detail: { type: 'event', previously_anonymous: true },
    },
    {
      at: later,
      stage: 'segment',
      person_id: 'cio_1',
      message_id: 'm9',
      detail: { segment_id: 'mine', change: 'entered' },
    },
    { at: later, stage: 'dropped', person_id: 'cio_1', detail: { of: 'another browser' } },
  ];
  expect(tellable({ steps })).toEqual({
    steps: [
      { at: came, stage: 'received', ...event, detail: { type: 'event' } },
      { at: later, stage: 'claimed' },
      { at: later, stage: 'merged', ...event, detail: { type: 'event', previously_anonymous: true } },
      { at: later, stage: 'segment', detail: { segment_id: 'mine', change: 'entered' } },
    ],
  });
});

test.each([{}, { steps: null }, { steps: [1, null, { stage: 'segment', at: later }] }])(
  'nothing of %j',
  (trace) => {
    expect(tellable(trace)).toEqual({ steps: [] });
  },
);

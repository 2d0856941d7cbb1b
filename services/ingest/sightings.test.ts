import { describe, expect, test } from '@jest/globals';
import { toWorkspace } from '../../schemas/ids.ts';
import { collectedEvent } from '../testing/collected-event.ts';
import { foreseen, sightings, type Answer, type Taken } from './sightings.ts';
import { droppedOutcome, refused, type Outcome } from './translation.ts';

const workspace = toWorkspace('shop');
const call = { workspace, receivedAt: 1_000, source: 'pipelines.batch', mintMessageId: () => 'minted' };
const event: Outcome = { type: 'event', event: collectedEvent({ message_id: 'm1', name: 'Order Placed' }) };
const corrected = droppedOutcome(call, {
  reason: 'corrected',
  messageId: 'm1',
  anonymousId: null,
  detail: { corrections: [{ field: 'event', why: 'canonical_form' }] },
});
const left = droppedOutcome(call, {
  reason: 'invalid_call',
  messageId: 'm2',
  anonymousId: null,
  detail: { message: 'event name must not be blank' },
});
const refusal = refused('invalid_call', 'event', 'event name must not be blank');

const answer = (status: number): Answer => ({
  ...{ at: 1_000, workspace, key: 'k1', route: 'POST /v1/batch', status },
  fault: status === 200 ? undefined : { reason: 'log_unavailable', message: 'sent again it will be taken' },
});

describe('what is told of a call is the same when it was made before the call had waited', () => {
  test.each<[string, Taken]>([
    ['of an event', { outcomes: [event], refusals: [] }],
    ['of one that was corrected, behind a row', { outcomes: [left, event, corrected], refusals: [] }],
    ['of refusals beside it', { outcomes: [event, left], refusals: [refusal] }],
    ['of nothing that was taken', { outcomes: [left], refusals: [refusal] }],
  ])('%s', (_, taken) => {
    const told = foreseen(answer(200), taken);
    for (const status of [200, 400, 403, 500, 503]) {
      expect(told(answer(status))).toEqual(sightings(answer(status), taken));
    }
    expect(told(answer(503))[0]).toMatchObject({ status: 503, answered: 'retry', reason: 'log_unavailable' });
  });
});

/** Control calls overtake nothing that was acknowledged before them, and never lock: held.ts. */
import { describe, expect, test } from '@jest/globals';
import type { IdentityRequest } from '../../../schemas/records.ts';
import { abandonMs } from '../../../schemas/control-markers.ts';
import { of, type Output } from '../../testing/processor-harness.ts';
import { HeldRequests } from './held.ts';
import { PARTITIONS, replies, Scenario } from '../../testing/scenarios/identity-scenario.ts';

/** How far the lanes of a partition of events.collected have come. */
function watermark(shop: Scenario, partition: number, offset: number): IdentityRequest {
  return shop.request({ kind: 'watermark', source_partition: partition, source_offset: offset });
}

function control(
  shop: Scenario,
  kind: 'merge' | 'delete',
  identifiers: readonly [string, string?],
  positions: readonly number[],
): IdentityRequest {
  const [identifier, other = null] = identifiers;
  const other_kind = other === null ? 'none' : 'id';
  return shop.request({ kind, identifier_kind: 'id', identifier, other_kind, other, positions });
}

function identify(shop: Scenario, id: string, partition: number, offset: number): IdentityRequest {
  return shop.claimRequest({ path: id }, { source_partition: partition, source_offset: offset });
}

const merges = (shop: Scenario): number =>
  shop.facts().filter(({ kind }) => kind === 'person_absorbed').length;
const held = (shop: Scenario): number => shop.harness.processor.status().unsettled;

describe('a control call that arrives before the calls it came after', () => {
  test('PUT 1, PUT 2, merge, each answered before the next: the merge waits for both lanes, then merges', () => {
    const shop = new Scenario();
    shop.send(control(shop, 'merge', ['1', '2'], [1, 0, 1]));
    expect(held(shop)).toBe(1);
    shop.send(identify(shop, '2', 2, 0), watermark(shop, 2, 1));
    shop.send(watermark(shop, 0, 0), watermark(shop, 1, 7));
    expect(merges(shop)).toBe(0);
    shop.send(identify(shop, '1', 0, 0));
    expect(merges(shop)).toBe(0);
    const outputs = shop.send(watermark(shop, 0, 1));
    expect(of('eventsMerged', outputs).map(({ value }) => value.kind)).toEqual(['absorb', 'absorbed']);
    expect(held(shop)).toBe(0);
  });

  test('identify, then delete: always deleted, and an identify after the delete always makes a new person', () => {
    const shop = new Scenario();
    shop.send(control(shop, 'delete', ['1'], [5]));
    shop.send(identify(shop, '1', 0, 6)); // came after the delete: waits
    expect(shop.facts()).toEqual([]);
    shop.send(identify(shop, '1', 0, 4)); // came before: is never held
    shop.send(watermark(shop, 0, 5));
    expect(shop.facts().map(({ kind }) => kind)).toEqual([
      'person_created',
      'identifier_added',
      'person_deleted',
      'person_created',
      'identifier_added',
    ]);
    expect(held(shop)).toBe(0);
  });

  test('a delete by email holds back an identify by the id of the same person', () => {
    const shop = new Scenario();
    shop.claim({ path: '1', email: 'ann@example.com' });
    const byEmail = { kind: 'delete', identifier_kind: 'email', identifier: 'ann@example.com' } as const;
    shop.send(shop.request({ ...byEmail, positions: [0, 9] }));
    expect(replies(shop.send(identify(shop, '1', 1, 9)))).toEqual([]);
    expect(replies(shop.send(watermark(shop, 1, 9)))).toMatchObject([
      { kind: 'resolved', person_created: true },
    ]);
  });

  test('an unsuppress by id holds back an identify by the email that was blocked with it', () => {
    const shop = new Scenario();
    shop.claim({ path: '1', email: 'ann@example.com' });
    shop.control('suppress', '1');
    const byId = { kind: 'unsuppress', identifier_kind: 'id', identifier: '1' } as const;
    shop.send(shop.request({ ...byId, positions: [4] }));
    const later = shop.claimRequest({ path: 'ann@example.com' }, { source_offset: 4 });
    expect(replies(shop.send(later))).toEqual([]);
    expect(replies(shop.send(watermark(shop, 0, 4)))).toMatchObject([{ kind: 'resolved' }]);
  });

  test('PUT 42 with a@b.c, DELETE 42, PUT a@b.c: the third waits although nobody knows yet that it is 42', () => {
    const shop = new Scenario();
    shop.send(control(shop, 'delete', ['42'], [1, 0]));
    const byEmail = shop.claimRequest({ path: 'a@b.c' }, { source_partition: 1, source_offset: 0 });
    expect(replies(shop.send(byEmail))).toEqual([]);
    const first = shop.claimRequest(
      { path: '42', email: 'a@b.c' },
      { source_partition: 0, source_offset: 0 },
    );
    expect(replies(shop.send(first))).toMatchObject([{ person_created: true }]);
    expect(replies(shop.send(watermark(shop, 0, 1)))).toMatchObject([{ person_created: true }]);
    expect(shop.person('42')).toBeUndefined();
    expect(shop.person('a@b.c')).toBeDefined();
  });

  test('nobody waits for a control call of another workspace', () => {
    const shop = new Scenario();
    shop.send({ ...control(shop, 'delete', ['1'], [5]), workspace: 'other' });
    expect(replies(shop.send(identify(shop, '1', 0, 6)))).toHaveLength(1);
  });

  test('when very many wait, those who share no name with a control call pass it', () => {
    const shop = new Scenario();
    const held = new HeldRequests(shop.harness.stores.keyed, shop.harness.codecs.IdentityRequest, 3);
    held.addControl(control(shop, 'delete', ['1'], [5]));
    const behind = (id: string, name: string): number | undefined =>
      held.controlBefore(identify(shop, id, 0, 6), () => [name]);
    expect(behind('2', 'shop/id/2')).toBe(1);
    held.addRequest(identify(shop, '2', 0, 6), 1);
    held.addRequest(identify(shop, '3', 0, 7), 1);
    expect(behind('4', 'shop/id/4')).toBeUndefined();
    expect(behind('1', 'shop/id/1')).toBe(1);
  });

  test('then a call of very many names is as one of everybody: they are not kept in memory, and nobody passes it', () => {
    const shop = new Scenario();
    const held = new HeldRequests(shop.harness.stores.keyed, shop.harness.codecs.IdentityRequest, 0);
    const split = (names: number, position: number): IdentityRequest => {
      const detail = JSON.stringify({
        anonymous_ids: Array.from({ length: names }, (_, each) => `v${String(each)}`),
      });
      return shop.request({
        kind: 'split',
        identifier_kind: 'id',
        identifier: '1',
        detail,
        positions: [position],
      });
    };
    const behind = (name: string, offset: number): number | undefined =>
      held.controlBefore(identify(shop, '2', 0, offset), () => [name]);
    held.addControl(split(10, 5));
    expect(behind('shop/anonymous_id/v9', 6)).toBe(1);
    expect(behind('shop/id/2', 6)).toBeUndefined();
    held.addControl(split(1_000, 7));
    expect(behind('shop/id/2', 6)).toBeUndefined(); // came before it
    expect(behind('shop/id/2', 8)).toBe(2);
    expect(behind('shop/anonymous_id/v9', 8)).toBe(1);
    expect(held.next('shop')).toBeUndefined();
    held.watermark('shop', 0, 9);
    expect([held.next('shop')?.sequence, held.next('shop')?.sequence]).toEqual([1, 2]);
    expect(behind('shop/id/2', 8)).toBeUndefined();
  });

  test('a split holds back a claim of an anonymous id that it names', () => {
    const shop = new Scenario();
    shop.claim({ path: '1', anonymousId: 'v' });
    const detail = JSON.stringify({ anonymous_ids: ['v'], into: '2' });
    shop.send(
      shop.request({ kind: 'split', identifier_kind: 'id', identifier: '1', detail, positions: [3] }),
    );
    const claim = shop.claimRequest({ path: '3', anonymousId: 'v' }, { source_offset: 3 });
    expect(replies(shop.send(claim))).toEqual([]);
    expect(replies(shop.send(watermark(shop, 0, 3)))).toMatchObject([{ reason: 'anonymous_id_taken' }]);
    expect(shop.graph.ownerOf('v')).toBe(shop.person('2')?.personId);
  });

  test('watermarks never go back, and are remembered over a restart', () => {
    const shop = new Scenario();
    shop.send(watermark(shop, 0, 9), watermark(shop, 0, 3));
    shop.harness.reopen();
    shop.claim({ path: '1' });
    shop.send(control(shop, 'delete', ['1'], [9]));
    expect(held(shop)).toBe(0);
    expect(shop.person('1')).toBeUndefined();
  });
});

describe('two control calls that wait for each other', () => {
  /** Taken at the same time by two ingest processes: neither’s positions are below the other’s. */
  const crossed = (): Scenario => {
    const shop = new Scenario();
    shop.send(control(shop, 'delete', ['1'], [5, 2]), control(shop, 'delete', ['1'], [2, 5]));
    return shop;
  };

  test('requests that each would hold for the other pass as soon as the first has had its turn', () => {
    const shop = crossed();
    // Offset 3 of partition 0 came after the second call and before the first: the first waits for it.
    expect(replies(shop.send(identify(shop, '1', 0, 3)))).toHaveLength(1);
    // Offset 3 of partition 1 came after the first and before the second: it waits for the first.
    expect(replies(shop.send(identify(shop, '1', 1, 3)))).toHaveLength(0);
    expect(held(shop)).toBe(3);
    const first = shop.send(watermark(shop, 0, 5), watermark(shop, 1, 3)); // 1 stands at its held request
    expect(replies(first)).toMatchObject([{ kind: 'resolved', person_created: true }]);
    expect(held(shop)).toBe(1);
    shop.send(watermark(shop, 1, 5));
    expect(held(shop)).toBe(0);
    expect(shop.person('1')).toBeUndefined();
  });

  test('a request between the two passes, though only the later call names it: the earlier one waits for it', () => {
    const shop = new Scenario();
    shop.send(control(shop, 'delete', ['1'], [5]), control(shop, 'delete', ['2'], [2]));
    expect(replies(shop.send(identify(shop, '2', 0, 3)))).toHaveLength(1);
    shop.send(watermark(shop, 0, 5));
    expect(held(shop)).toBe(0);
    expect(shop.person('2')).toBeUndefined();
  });

  test('what came after both waits for both, in order', () => {
    const shop = crossed();
    shop.send(identify(shop, '1', 0, 9));
    shop.send(watermark(shop, 0, 5), watermark(shop, 1, 2));
    expect(shop.harness.processor.status()).toEqual({ unsettled: 2, heldControls: 1 });
    expect(replies(shop.send(watermark(shop, 1, 5)))).toHaveLength(1);
  });

  test('a restart in between changes nothing', () => {
    const shop = crossed();
    shop.send(identify(shop, '1', 0, 9), identify(shop, '1', 1, 9), identify(shop, '1', 0, 3));
    shop.harness.reopen();
    expect(shop.harness.processor.status()).toEqual({ unsettled: 4, heldControls: 2 });
    shop.send(watermark(shop, 0, 5), watermark(shop, 1, 2));
    shop.harness.reopen();
    const outputs = shop.send(watermark(shop, 1, 5));
    expect(replies(outputs).map(({ person_created: created }) => created)).toEqual([true, false]);
    expect(shop.harness.replay({ reopenEachBatch: true })).toEqual(shop.harness.outputs);
  });
});

test('more control calls due at once than a step decides go on at the ends of batches', () => {
  const shop = new Scenario();
  const calls = 2_500;
  shop.send(...Array.from({ length: calls }, (_, each) => control(shop, 'delete', [String(each)], [1])));
  expect(held(shop)).toBe(calls);
  shop.send(watermark(shop, 0, 1));
  expect(held(shop)).toBeGreaterThan(0);
  shop.harness.idle(shop.now);
  expect(held(shop)).toBe(0);
  expect(of('eventsDropped', shop.harness.outputs)).toHaveLength(calls);
});

test('a request is never answered twice: the partition stops', () => {
  const shop = new Scenario();
  const request = identify(shop, '1', 0, 1);
  shop.send(request);
  expect(() => shop.send(request)).toThrow('is asked once');
});

describe('markers of control calls', () => {
  const marked = (shop: Scenario, number: number, positions: readonly number[]): IdentityRequest => ({
    ...control(shop, 'delete', ['1'], positions),
    request_number: number,
  });
  const heard = (shop: Scenario, number: number, partition = 0): IdentityRequest =>
    shop.request({
      kind: 'marker',
      request_number: number,
      source_partition: partition,
      source_offset: 4,
    });
  const barrier = (shop: Scenario, offset: number): IdentityRequest =>
    shop.request({ kind: 'barrier', lane: 'shop:a:v', source_offset: offset });
  const ended = (outputs: readonly Output[]): string[] =>
    of('identityDecisions', outputs)
      .filter(({ value }) => value.kind === 'control_ended')
      .map(({ partition, value }) => `${String(value.request_number)} in ${String(partition)}`);
  const everywhere = (number: number): string[] =>
    Array.from({ length: PARTITIONS }, (_, each) => `${String(number)} in ${String(each)}`);

  test('a barrier from behind the marker is answered after the call, one from before it at once', () => {
    const shop = new Scenario();
    shop.claim({ path: '1' });
    shop.send(marked(shop, 7, [5]));
    expect(replies(shop.send(barrier(shop, 3)))).toMatchObject([{ kind: 'passed', person_id: null }]);
    expect(replies(shop.send(barrier(shop, 5)))).toEqual([]);
    const kinds = of('identityDecisions', shop.send(watermark(shop, 0, 5)))
      .filter(({ partition, value }) => partition === 0 || value.lane !== null)
      .map(({ value }) => value.kind);
    expect(kinds).toEqual(['deleted', 'control_ended', 'passed']);
  });

  test('every partition is told when the call is decided, once', () => {
    const shop = new Scenario();
    expect(ended(shop.send(heard(shop, 7), marked(shop, 7, [5, 0]), heard(shop, 7, 1)))).toEqual([]);
    expect(ended(shop.send(watermark(shop, 0, 5)))).toEqual(everywhere(7));
    shop.now += 10 * abandonMs;
    expect(ended(shop.send(watermark(shop, 0, 9)))).toEqual([]);
  });

  test('a call that never comes, as its gateway died, is given up; nothing waits for it', () => {
    const shop = new Scenario();
    shop.send(heard(shop, 7));
    expect(replies(shop.send(barrier(shop, 6)))).toMatchObject([{ kind: 'passed' }]);
    shop.now += abandonMs;
    expect(ended(shop.send(heard(shop, 7, 1)))).toEqual([]);
    shop.harness.reopen();
    shop.now += 1;
    expect(ended(shop.send(barrier(shop, 8)))).toEqual(everywhere(7));
    expect(shop.harness.processor.status().unsettled).toBe(0);
    expect(shop.harness.replay({ reopenEachBatch: true })).toEqual(shop.harness.outputs);
  });

  test('an attempt and its repetition are two calls, decided one after the other', () => {
    const shop = new Scenario();
    shop.claim({ path: '1' });
    shop.send(marked(shop, 7, [5]), marked(shop, 8, [6]));
    expect(ended(shop.send(watermark(shop, 0, 5)))).toEqual(everywhere(7));
    expect(ended(shop.send(watermark(shop, 0, 6)))).toEqual(everywhere(8));
    expect(shop.facts().filter(({ kind }) => kind === 'person_deleted')).toHaveLength(1);
  });
});

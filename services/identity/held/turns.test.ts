/** Control calls of many workspaces in one partition: none waits for another's, and no batch is without bound. */
import { describe, expect, test } from '@jest/globals';
import type { IdentityRequest } from '../../../schemas/records.ts';
import { of, type Output } from '../../testing/processor-harness.ts';
import { Scenario } from '../../testing/scenarios/identity-scenario.ts';

let calls = 0;
/** A deletion with a marker in lane partition 0 at this offset. */
function deletion(shop: Scenario, workspace: string, id: string, at: number): IdentityRequest {
  const named = { identifier_kind: 'id', identifier: id } as const;
  calls += 1;
  return shop.request({ kind: 'delete', workspace, ...named, positions: [at + 1], request_number: calls });
}
/** `workspace` empty: of everybody's records. */
function watermark(shop: Scenario, workspace: string, offset: number): IdentityRequest {
  return shop.request({ kind: 'watermark', workspace, source_partition: 0, source_offset: offset });
}
function identify(shop: Scenario, workspace: string, id: string, offset: number): IdentityRequest {
  const lane = `${workspace}:i:${id}`;
  return shop.claimRequest({ path: id }, { workspace, lane, source_partition: 0, source_offset: offset });
}
const held = (shop: Scenario): number => shop.harness.processor.status().unsettled;
const answered = (outputs: readonly Output[]): string[] =>
  of('identityDecisions', outputs)
    .filter(({ value }) => value.lane !== null)
    .map(({ value }) => value.lane ?? '');

describe('a workspace whose calls wait', () => {
  test('holds up no call and no request of another, whichever came first', () => {
    const shop = new Scenario();
    shop.send(deletion(shop, 'evil', '1', 5), deletion(shop, 'quiet', '1', 9));
    shop.send(identify(shop, 'evil', '2', 6), identify(shop, 'quiet', '2', 10));
    expect(held(shop)).toBe(4);
    expect(answered(shop.send(watermark(shop, 'quiet', 10)))).toEqual(['quiet:i:2']);
    expect(held(shop)).toBe(2);
    expect(answered(shop.send(watermark(shop, 'evil', 6)))).toEqual(['evil:i:2']);
    expect(held(shop)).toBe(0);
    expect(shop.harness.replay({ reopenEachBatch: true })).toEqual(shop.harness.outputs);
  });

  test('is told of by the watermark of everybody’s records, too', () => {
    const shop = new Scenario();
    shop.send(deletion(shop, 'evil', '1', 5), deletion(shop, 'quiet', '1', 9));
    shop.send(watermark(shop, '', 10));
    expect(held(shop)).toBe(0);
  });

  test('whose calls are without markers and those of another do not wait for each other in a circle', () => {
    const shop = new Scenario();
    const without = { request_number: 0 } as const;
    shop.send({ ...deletion(shop, 'a', '1', 9), ...without }, { ...deletion(shop, 'b', '1', 4), ...without });
    // Of b, between the two: it came before b's call was acknowledged, and a's watermark needs it.
    expect(answered(shop.send(identify(shop, 'b', '2', 6)))).toEqual(['b:i:2']);
    shop.send(watermark(shop, '', 10));
    expect(held(shop)).toBe(0);
  });
});

describe('very many requests behind one call', () => {
  const many = 2_300;

  test('are decided a bounded number a batch, in their order, and what comes meanwhile stays behind them', () => {
    const shop = new Scenario();
    shop.send(deletion(shop, 'evil', '1', 0));
    const requests = Array.from({ length: many }, (_, each) =>
      identify(shop, 'evil', `p${String(each)}`, 1 + each),
    );
    expect(answered(shop.send(...requests))).toEqual([]);
    const lanes = requests.map(({ lane }) => lane);
    const order = answered(shop.send(watermark(shop, 'evil', 1)));
    expect(order.length).toBeGreaterThan(100);
    expect(order.length).toBeLessThan(many);
    expect(held(shop)).toBe(many - order.length + 1); // the call stays for what waits behind it
    const late = identify(shop, 'evil', 'late', many + 1);
    order.push(...answered(shop.send(late)));
    expect(order).not.toContain(late.lane);
    shop.harness.reopen();
    for (let batch = 0; batch < 5 && held(shop) > 0; batch += 1) {
      order.push(...answered(shop.harness.idle(shop.now)));
    }
    expect(order).toEqual([...lanes, late.lane]);
    expect(held(shop)).toBe(0);
    expect(shop.harness.replay({ reopenEachBatch: true })).toEqual(shop.harness.outputs);
  });

  test('leave the next workspace its turn in the same batch', () => {
    const shop = new Scenario();
    shop.send(deletion(shop, 'evil', '1', 0), deletion(shop, 'quiet', '1', 0));
    const requests = Array.from({ length: many }, (_, each) =>
      identify(shop, 'evil', `p${String(each)}`, 1 + each),
    );
    shop.send(...requests, identify(shop, 'quiet', '2', many + 1));
    expect(answered(shop.send(watermark(shop, '', 1)))).toContain('quiet:i:2');
    expect(held(shop)).toBeGreaterThan(0);
  });
});

describe('very many splits of very many names', () => {
  test('are as many of a batch as what they write allows, and the next workspace has its turn', () => {
    const shop = new Scenario();
    const names = Array.from({ length: 200 }, (_, each) => `v${String(each)}`);
    const claims = (id: string, anonymousId: string | null) =>
      shop.claimRequest({ path: id, anonymousId }, { workspace: 'evil', source_offset: 0 });
    shop.send(...names.map((name) => claims('a', name)), claims('b', null));
    const splits = Array.from({ length: 60 }, (_, each) => {
      const [from, into] = each % 2 === 0 ? ['a', 'b'] : ['b', 'a'];
      const detail = JSON.stringify({ anonymous_ids: names, into });
      return { ...deletion(shop, 'evil', from, 5), kind: 'split', detail } as const;
    });
    shop.send(...splits, deletion(shop, 'quiet', '1', 5), identify(shop, 'quiet', '2', 6));
    const moved = (outputs: readonly Output[]): number =>
      of('identityLog', outputs).filter(({ value }) => value.kind === 'anonymous_moved').length;
    const first = shop.send(watermark(shop, '', 6));
    expect(answered(first)).toContain('quiet:i:2');
    const batches = [moved(first)];
    while (held(shop) > 0 && batches.length < 50) batches.push(moved(shop.harness.idle(shop.now)));
    expect(batches.reduce((sum, each) => sum + each, 0)).toBe(60 * names.length);
    expect(Math.max(...batches)).toBeLessThan(9_000);
    expect(shop.harness.replay({ reopenEachBatch: true })).toEqual(shop.harness.outputs);
  });
});

/** Who is meant by a call about a manual segment (spec A.1). */
import { describe, expect, test } from '@jest/globals';
import { membershipText, type MembershipCall } from '../../schemas/membership.ts';
import { of, type Output } from '../testing/processor-harness.ts';
import { Scenario } from '../testing/scenarios/identity-scenario.ts';

function membership(shop: Scenario, call: Partial<MembershipCall>): Output[] {
  const whole = { segment_id: 'vip', action: 'add', kind: 'id', values: [], ...call } as const;
  return shop.send(shop.request({ kind: 'membership', message_id: 'call', detail: membershipText(whole) }));
}
const told = (outputs: readonly Output[]) =>
  of('eventsMerged', outputs).map(({ key, value }) => ({ key, ...value, event: value.event }));

describe('people put into a manual segment', () => {
  test('are told in their streams, each once, as who they are today', () => {
    const shop = new Scenario();
    const ann = shop.claim({ path: '1', email: 'ann@shop.example' }).person_id ?? '';
    const bob = shop.claim({ path: 'bob@shop.example' }).person_id ?? '';
    const emails = ['bob@shop.example', 'ann@shop.example'];
    expect(told(membership(shop, { kind: 'email', values: emails }))).toMatchObject([
      { key: `shop:${bob}`, person_id: bob, known_email: 'bob@shop.example' },
      {
        key: `shop:${ann}`,
        kind: 'event',
        known_id: '1',
        merged_at: shop.now,
        event: {
          type: 'membership',
          name: 'vip',
          message_id: 'call',
          identifier: 'ann@shop.example',
          properties: '{"action":"add"}',
        },
      },
    ]);
    shop.merge('1', 'bob@shop.example');
    const both = membership(shop, { action: 'remove', kind: 'cio_id', values: [ann, bob] });
    expect(told(both)).toMatchObject([{ person_id: ann, event: { properties: '{"action":"remove"}' } }]);
  });

  test('nobody is made: who is not there is left out, with one row that counts them', () => {
    const shop = new Scenario();
    const ann = shop.claim({ path: '1' }).person_id ?? '';
    const values = ['1', ...Array.from({ length: 150 }, (_, at) => `unknown-${String(at)}`)];
    const outputs = membership(shop, { values });
    expect(told(outputs)).toMatchObject([{ person_id: ann }]);
    expect(of('identityLog', outputs)).toEqual([]);
    const [row, ...more] = of('eventsDropped', outputs);
    expect(more).toEqual([]);
    expect(row?.value).toMatchObject({ reason: 'person_unknown', stage: 'identity', message_id: 'call' });
    const detail = JSON.parse(row?.value.detail ?? '') as { values: string[]; count: number };
    expect(detail).toMatchObject({
      call: 'membership',
      segment_id: 'vip',
      action: 'add',
      kind: 'id',
      count: 150,
    });
    expect(detail.values).toHaveLength(100);
  });

  test('who was deleted or suppressed is nobody', () => {
    const shop = new Scenario();
    shop.claim({ path: '1' });
    shop.claim({ path: '2' });
    shop.control('delete', '1');
    shop.control('suppress', '2');
    expect(told(membership(shop, { values: ['1', '2'] }))).toEqual([]);
  });
});

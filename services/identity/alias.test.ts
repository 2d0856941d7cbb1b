import { describe, expect, test } from '@jest/globals';
import { of } from '../testing/processor-harness.ts';
import { Scenario } from '../testing/scenarios/identity-scenario.ts';

describe('C.1 row 21: an alias', () => {
  test('of a visitor leaves no failed merge behind', () => {
    const shop = new Scenario();
    shop.claim({ path: '42', anonymousId: 'v' });
    const outputs = shop.send(mergeRequest(shop, 'v'));
    expect(of('activitiesLogged', outputs)).toEqual([]);
    expect(of('eventsDropped', outputs)).toEqual([]);
  });

  test('of a known person merges the two', () => {
    const shop = new Scenario();
    shop.claim({ path: '42', anonymousId: 'v' });
    shop.claim({ path: '7' });
    const facts = of('identityLog', shop.send(mergeRequest(shop, '7')));
    expect(facts.map(({ value }) => value.kind)).toEqual(['person_absorbed']);
  });

  test('of a known person above the limit of merges a minute is refused with a reason', () => {
    const shop = new Scenario().settings({ guards: { merges_per_minute: 1 } });
    for (const path of ['42', '7', '8']) shop.claim({ path });
    shop.merge('42', '8');
    const outputs = shop.send(mergeRequest(shop, '7'));
    expect(of('eventsDropped', outputs)).toMatchObject([{ value: { reason: 'too_many_merges' } }]);
    expect(of('activitiesLogged', outputs)).toMatchObject([{ value: { kind: 'Failed Merge' } }]);
  });
});

function mergeRequest(shop: Scenario, previous: string) {
  return shop.request({
    kind: 'merge',
    identifier_kind: 'id',
    identifier: '42',
    other_kind: 'id',
    other: previous,
    anonymous_id: previous,
    positions: [0, 0, 0, 0],
  });
}

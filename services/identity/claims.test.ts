/** What becomes of an anonymous id: spec C.1 rows 4, 8 to 10, 13, 24 and 25, E rows 15 to 21, 24 and 102. */
import { describe, expect, test } from '@jest/globals';
import { activities, replies, Scenario, START } from '../testing/scenarios/identity-scenario.ts';

describe('claiming an anonymous id', () => {
  test('C.1 row 4: the first identify with an anonymous id binds it to the person at its receive time', () => {
    const shop = new Scenario();
    shop.now = START + 1234;
    const reply = shop.claim({ path: '42', anonymousId: 'visitor-1' });
    expect(reply).toMatchObject({
      kind: 'granted',
      lane: 'shop:a:visitor-1',
      request_number: 1,
      claimed_at: START + 1234,
      person_created: true,
      reason: null,
    });
    expect(shop.facts().map(({ kind }) => kind)).toEqual([
      'person_created',
      'identifier_added',
      'anonymous_claimed',
    ]);
    expect(shop.facts().at(-1)).toMatchObject({
      number: 3,
      identifier_kind: 'anonymous_id',
      identifier: 'visitor-1',
      lane: 'shop:a:visitor-1',
      message_id: 'm1',
      at: START + 1234,
    });
  });

  test('C.1 row 8: a second claimant is resolved and gets no events', () => {
    const shop = new Scenario();
    shop.claim({ path: '42', anonymousId: 'v' });
    expect(shop.claim({ path: '43', anonymousId: 'v' })).toMatchObject({
      kind: 'resolved',
      reason: 'anonymous_id_taken',
      person_created: true,
      claimed_at: null,
    });
  });

  test('C.1 row 10: the same person claiming again changes nothing, and no reason is given', () => {
    const shop = new Scenario();
    const first = shop.claim({ path: '42', anonymousId: 'v' });
    const again = shop.claim({ path: '42', anonymousId: 'v' });
    expect(again).toMatchObject({ kind: 'resolved', person_id: first.person_id, reason: null });
    expect(shop.facts()).toHaveLength(3);
  });

  test('C.1 row 9: what a known person does under a new anonymous id is theirs after an identify with it, and not before', () => {
    const shop = new Scenario();
    shop.claim({ path: '42', anonymousId: 'laptop' });
    expect(shop.resolve('42', 'phone').kind).toBe('resolved');
    expect(shop.graph.ownerOf('phone')).toBeUndefined();
    expect(shop.claim({ path: '42', anonymousId: 'phone' }).kind).toBe('granted');
    expect(shop.graph.ownerOf('phone')).toBe(shop.person('42')?.personId);
  });

  test('C.2: of two concurrent identifies of one anonymous id exactly one claims', () => {
    const shop = new Scenario();
    const outputs = shop.send(
      shop.claimRequest({ path: '42', anonymousId: 'v' }),
      shop.claimRequest({ path: '43', anonymousId: 'v' }),
    );
    expect(replies(outputs).map(({ kind }) => kind)).toEqual(['granted', 'resolved']);
  });

  test('E row 102: two devices, two anonymous ids, one person', () => {
    const shop = new Scenario();
    const phone = shop.claim({ path: '42', anonymousId: 'phone' });
    const laptop = shop.claim({ path: '42', anonymousId: 'laptop' });
    expect(laptop).toMatchObject({ kind: 'granted', person_id: phone.person_id });
  });

  test('C.1 row 13: with merge switched off the anonymous id is not burned; the next claim after switching on has it', () => {
    const shop = new Scenario().settings({ anonymous_event_merge: false });
    expect(shop.claim({ path: '42', anonymousId: 'v' })).toMatchObject({
      kind: 'resolved',
      reason: 'merge_switched_off',
      person_created: true,
    });
    shop.settings({ anonymous_event_merge: true });
    expect(shop.claim({ path: '43', anonymousId: 'v' }).kind).toBe('granted');
  });

  test('C.1 row 24: a suppressed identifier claims nothing', () => {
    const shop = new Scenario();
    shop.control('suppress', '42');
    expect(shop.claim({ path: '42', anonymousId: 'v' })).toMatchObject({
      kind: 'refused',
      reason: 'identifier_suppressed',
    });
    expect(shop.claim({ path: '43', anonymousId: 'v' }).kind).toBe('granted');
  });

  test('C.1 row 25: a deleted person’s anonymous id stays burned', () => {
    const shop = new Scenario();
    shop.claim({ path: '42', anonymousId: 'v' });
    shop.control('delete', '42');
    expect(shop.claim({ path: '42', anonymousId: 'v' })).toMatchObject({
      kind: 'resolved',
      person_created: true,
      reason: 'anonymous_id_taken',
    });
  });

  test('workspaces know nothing of each other', () => {
    const shop = new Scenario();
    const other = {
      ...shop.claimRequest({ path: '42', anonymousId: 'v' }),
      workspace: 'other',
      lane: 'other:a:v',
    };
    const [there] = replies(shop.send(other));
    const here = shop.claim({ path: '42', anonymousId: 'v' });
    expect([there?.kind, here.kind]).toEqual(['granted', 'granted']);
    expect(here.person_id).not.toBe(there?.person_id);
  });
});

describe('guards', () => {
  const placeholders = [
    'null',
    'undefined',
    'None',
    'anonymous',
    'Unknown',
    'anonymousId',
    '{{customer.id}}',
    'user-${user.id}',
    '[object Undefined]',
    '-1',
    '000',
    '00000000-0000-0000-0000-000000000000',
    ' ',
    'a\u0000b',
  ];
  test.each(placeholders)('E row 99: the placeholder %j names nobody', (value) => {
    const shop = new Scenario();
    const request = shop.claimRequest({ path: { kind: 'id', value }, anonymousId: 'v' });
    const outputs = shop.send(request);
    expect(replies(outputs)).toMatchObject([{ kind: 'refused', reason: 'identifier_illegal' }]);
    expect(activities(outputs)).toMatchObject([{ kind: 'Failed Attribute Change' }]);
    expect(shop.facts()).toEqual([]);
  });

  test.each(['0x1', 'guesthouse', 'guest_house_7', '100', 'nullable', 'Ann'])(
    'the identifier %j is nobody’s placeholder',
    (value) => {
      expect(new Scenario().claim({ path: { kind: 'id', value } }).kind).toBe('resolved');
    },
  );

  test('case 4: a person named as the visitor is: the person counts, nothing is claimed, and an activity flags it', () => {
    const shop = new Scenario();
    const outputs = shop.send(shop.claimRequest({ path: 'f3b1-77', anonymousId: 'f3b1-77' }));
    expect(replies(outputs)).toMatchObject([{ kind: 'resolved', reason: 'identifier_illegal' }]);
    expect(activities(outputs)).toMatchObject([
      { detail: { attribute: 'anonymous_id', reason: 'identifier_illegal' } },
    ]);
    expect(shop.resolve('f3b1-77', 'f3b1-77')).toMatchObject({ kind: 'resolved' });
    expect(shop.claim({ path: '42', email: 'Ada@b.c', anonymousId: 'ada@b.c' }).kind).toBe('resolved');
    shop.settings({ guards: { illegal_identifiers: false } });
    expect(shop.claim({ path: 'f3b1-77', anonymousId: 'f3b1-77' }).kind).toBe('granted');
  });

  test('a placeholder for an anonymous id is never claimed, so strangers’ pasts stay apart', () => {
    const shop = new Scenario();
    const outputs = shop.send(shop.claimRequest({ path: '42', anonymousId: 'undefined' }));
    expect(replies(outputs)).toMatchObject([{ kind: 'resolved', reason: 'identifier_illegal' }]);
    expect(activities(outputs)).toMatchObject([
      { detail: { attribute: 'anonymous_id', reason: 'identifier_illegal' } },
    ]);
  });

  test('an email that is none is left out, and the call counts', () => {
    const shop = new Scenario();
    const reply = shop.claim({ path: '42', email: 'n/a' });
    expect(reply).toMatchObject({ kind: 'resolved' });
    expect(shop.person('42')?.email).toBeNull();
  });

  test('E row 99: patterns of the workspace are refused, without backtracking', () => {
    const shop = new Scenario().settings({ guards: { illegal_patterns: ['^sess-', '(a+)+$', '('] } });
    expect(shop.claim({ path: 'sess-1' }).reason).toBe('identifier_illegal');
    expect(shop.claim({ path: 'user-1' }).kind).toBe('resolved');
  });

  test('security 5: patterns stored before a bound that they are over refuse nobody, and the others still do', () => {
    const patterns = ['.{1000}'.repeat(70), '^sess-'];
    const one = new Scenario().settings({ guards: { illegal_patterns: patterns } });
    expect(one.claim({ path: 'a'.repeat(150) }).kind).toBe('resolved');
    expect(one.claim({ path: 'sess-1' }).reason).toBe('identifier_illegal');
    const many = Array.from({ length: 100 }, (_, index) => `^(?:sess|k${String(index)}.{900})`);
    const all = new Scenario().settings({ guards: { illegal_patterns: many } });
    expect(all.claim({ path: 'sess-1' }).kind).toBe('resolved');
  });

  test('too many anonymous ids a person in the window: the person stays, the id is not bound', () => {
    const limit = { at_most: 2, within_ms: 60_000 };
    const shop = new Scenario().settings({ guards: { anonymous_ids_per_person: limit } });
    const kinds = ['a', 'b', 'c'].map((anonymousId) => shop.claim({ path: '42', anonymousId }).kind);
    expect(kinds).toEqual(['granted', 'granted', 'resolved']);
    expect(shop.claim({ path: '42', anonymousId: 'c' }).reason).toBe('too_many_anonymous_ids');
    shop.now += 60_000;
    expect(shop.claim({ path: '42', anonymousId: 'c' }).kind).toBe('granted');
  });

  test('too many people an anonymous id in the window: the call is refused before anybody is created', () => {
    const limit = { at_most: 2, within_ms: 60_000 };
    const shop = new Scenario().settings({ guards: { people_per_anonymous_id: limit } });
    shop.claim({ path: '1', anonymousId: 'kiosk' });
    shop.claim({ path: '2', anonymousId: 'kiosk' });
    expect(shop.claim({ path: '3', anonymousId: 'kiosk' })).toMatchObject({
      kind: 'refused',
      reason: 'too_many_people',
    });
    expect(shop.person('3')).toBeUndefined();
    expect(shop.claim({ path: '2', anonymousId: 'kiosk' }).kind).toBe('resolved');
    shop.now += 60_000;
    expect(shop.claim({ path: '3', anonymousId: 'kiosk' })).toMatchObject({
      kind: 'resolved',
      person_created: true,
    });
  });

  test('too many people an anonymous id: two who were merged since count as one', () => {
    const limit = { at_most: 1, within_ms: 60_000 };
    const shop = new Scenario().settings({ guards: { people_per_anonymous_id: limit } });
    shop.claim({ path: '1', anonymousId: 'phone' });
    shop.claim({ path: '2' });
    shop.merge('2', '1');
    expect(shop.claim({ path: '2', anonymousId: 'phone' })).toMatchObject({ kind: 'resolved', reason: null });
    expect(shop.claim({ path: '3', anonymousId: 'phone' }).reason).toBe('too_many_people');
  });
});

/** Whom a call is about: spec A.1 PUT, C.1 rows 4, 17 to 19 and 24, C.3. */
import { describe, expect, test } from '@jest/globals';
import { activities, news, replies, Scenario, START } from '../testing/scenarios/identity-scenario.ts';

const conflicts = (detail: string | null): unknown =>
  detail === null ? null : (JSON.parse(detail) as unknown);

describe('finding the person of a call', () => {
  test('C.1 row 17: a track that names an unknown id creates its person and claims nothing', () => {
    const shop = new Scenario();
    const first = shop.resolve('42', 'visitor-1');
    expect(first).toMatchObject({ kind: 'resolved', person_created: true, reason: null, claimed_at: null });
    expect(first.person_id).toMatch(/^cio_[0-9a-f]{20}$/);
    const again = shop.resolve('42', 'visitor-2');
    expect(again).toMatchObject({ kind: 'resolved', person_created: false, person_id: first.person_id });
    expect(shop.graph.ownerOf('visitor-1')).toBeUndefined();
  });

  test('A.1: the same person answers to id, email in any case, and cio_id', () => {
    const shop = new Scenario();
    const { person_id: personId } = shop.claim({ path: '42', email: 'Ann@Example.com' });
    expect(shop.resolve('ann@example.COM').person_id).toBe(personId);
    expect(shop.resolve(personId ?? '').person_id).toBe(personId);
    expect(shop.person('42')).toMatchObject({ id: '42', email: 'ann@example.com', firstSeenAt: START });
  });

  test('A.1: an unknown or deleted cio_id is refused', () => {
    const shop = new Scenario();
    expect(shop.resolve('cio_0000')).toMatchObject({ kind: 'refused', reason: 'unknown_cio_id' });
    const { person_id: personId } = shop.claim({ path: '42' });
    shop.control('delete', '42');
    expect(shop.claim({ path: personId ?? '', id: '43' })).toMatchObject({
      kind: 'refused',
      reason: 'unknown_cio_id',
    });
    expect(shop.facts().map(({ kind }) => kind)).toEqual([
      'person_created',
      'identifier_added',
      'person_deleted',
    ]);
  });

  test('A.1: a new id with a known email gives the id to the existing person', () => {
    const shop = new Scenario();
    const known = shop.claim({ path: 'ann@example.com' });
    const reply = shop.claim({ path: '42', email: 'ann@example.com' });
    expect(reply).toMatchObject({ kind: 'resolved', person_id: known.person_id, person_created: false });
    expect(shop.person('42')).toMatchObject({ personId: known.person_id, email: 'ann@example.com' });
  });

  test('A.1: an unknown email in the path with a known id in the body gives the email to that person', () => {
    const shop = new Scenario();
    const known = shop.claim({ path: '42' });
    const reply = shop.claim({ path: 'ann@example.com', id: '42' });
    expect(reply.person_id).toBe(known.person_id);
    expect(shop.person('ann@example.com')?.personId).toBe(known.person_id);
  });

  test('C.1 row 19: an identify by email trait alone finds or creates the person by email', () => {
    const shop = new Scenario();
    const reply = shop.claim({ path: 'ann@example.com', anonymousId: 'visitor-1' });
    expect(reply).toMatchObject({ kind: 'granted', person_created: true, claimed_at: START });
  });

  test('A.1: an update that may not create matches nobody, and says so', () => {
    const shop = new Scenario();
    const outputs = shop.send(shop.claimRequest({ path: '42', anonymousId: 'v', updateOnly: true }));
    expect(replies(outputs)).toMatchObject([{ kind: 'refused', reason: 'update_only_nobody' }]);
    expect(activities(outputs)).toEqual([
      {
        kind: 'Failed Attribute Change',
        person: null,
        detail: { attribute: 'id', value: '42', reason: 'update_only_nobody' },
      },
    ]);
    expect(shop.facts()).toEqual([]);
    expect(shop.claim({ path: '42', anonymousId: 'v' }).kind).toBe('granted');
  });

  test('A.1: an update that matches somebody by a body identifier counts', () => {
    const shop = new Scenario();
    const known = shop.claim({ path: '42' });
    const reply = shop.claim({ path: 'a@example.com', id: '42', updateOnly: true });
    expect(reply).toMatchObject({ kind: 'resolved', person_id: known.person_id });
  });
});

describe('conflicting identifiers', () => {
  test('C.3: an email of somebody else stays theirs; the call counts for the path’s person, with an activity', () => {
    const shop = new Scenario();
    shop.claim({ path: '1', email: 'one@example.com' });
    const two = shop.claim({ path: '2' });
    const request = shop.claimRequest({ path: '2', email: 'ONE@example.com', anonymousId: 'v' });
    const outputs = shop.send(request);
    const conflict = { kind: 'email', value: 'one@example.com', reason: 'identifier_conflict' };
    expect(replies(outputs)).toMatchObject([{ kind: 'granted', person_id: two.person_id }]);
    expect(conflicts(replies(outputs)[0]?.detail ?? null)).toEqual({ conflicts: [conflict] });
    expect(activities(outputs)).toEqual([
      {
        kind: 'Failed Attribute Change',
        person: two.person_id,
        detail: { attribute: 'email', value: 'one@example.com', reason: 'identifier_conflict' },
      },
    ]);
    expect(shop.person('one@example.com')?.id).toBe('1');
  });

  test('C.3: an unknown id with the email of somebody who has an id creates a person without that email', () => {
    const shop = new Scenario();
    const one = shop.claim({ path: '1', email: 'one@example.com' });
    const reply = shop.claim({ path: '7', email: 'one@example.com' });
    expect(reply).toMatchObject({ kind: 'resolved', person_created: true });
    expect(reply.person_id).not.toBe(one.person_id);
    expect(shop.person('7')).toMatchObject({ email: null });
  });

  test('C.3: a set identifier changes by cio_id only, and the former one is free and asked for again', () => {
    const shop = new Scenario();
    const { person_id: personId } = shop.claim({ path: '1', email: 'old@example.com' });
    expect(shop.claim({ path: '1', email: 'new@example.com' }).detail).toContain('identifier_conflict');
    expect(shop.person('1')?.email).toBe('old@example.com');

    const outputs = shop.send(shop.claimRequest({ path: personId ?? '', email: 'new@example.com' }));
    expect(replies(outputs)).toMatchObject([{ kind: 'resolved', person_id: personId, detail: null }]);
    expect(shop.person('1')?.email).toBe('new@example.com');
    expect(news(outputs)).toMatchObject([{ kind: 'split', person_id: personId, other_person_id: null }]);
    expect(shop.resolve('old@example.com')).toMatchObject({ person_created: true });
  });

  test('E row 100: with the id as key, another email or phone makes no second person', () => {
    const shop = new Scenario();
    const { person_id: personId } = shop.claim({ path: '1', email: 'old@example.com' });
    expect(shop.claim({ path: '1', email: 'new@example.com' })).toMatchObject({ person_id: personId });
    expect(shop.person('1')?.email).toBe('old@example.com');
    expect(shop.person('new@example.com')).toBeUndefined();

    shop.settings({ update_email_by_id: true });
    const outputs = shop.send(shop.claimRequest({ path: '1', email: 'new@example.com' }));
    expect(replies(outputs)).toMatchObject([
      { kind: 'resolved', person_id: personId, detail: null, known_email: 'new@example.com' },
    ]);
    expect(activities(outputs)).toEqual([]);
    expect(news(outputs)).toMatchObject([{ kind: 'split', person_id: personId, other_person_id: null }]);
    expect(shop.person('new@example.com')?.personId).toBe(personId);
    expect(shop.facts().filter(({ kind }) => kind === 'person_created')).toHaveLength(1);
  });

  test('E row 100: neither an id nor an email changes by email, and nobody’s email is taken', () => {
    const shop = new Scenario().settings({ update_email_by_id: true });
    shop.claim({ path: '1', email: 'one@example.com' });
    expect(shop.claim({ path: 'one@example.com', id: '7' }).detail).toContain('identifier_conflict');
    const byEmail = shop.claim({ path: 'one@example.com', email: 'other@example.com' });
    expect(byEmail.detail).toContain('identifier_conflict');
    shop.claim({ path: '2', email: 'two@example.com' });
    expect(shop.claim({ path: '1', email: 'two@example.com' }).detail).toContain('identifier_conflict');
    expect(shop.person('1')).toMatchObject({ id: '1', email: 'one@example.com' });
  });

  test('C.3: a cio_id in the body never moves a person', () => {
    const shop = new Scenario();
    const one = shop.claim({ path: '1' });
    shop.claim({ path: '2' });
    const reply = shop.claim({ path: '2', cioId: one.person_id ?? '' });
    expect(conflicts(reply.detail)).toMatchObject({ conflicts: [{ kind: 'cio_id' }] });
    const byCioId = shop.claim({ path: 'new@example.com', cioId: one.person_id ?? '' });
    expect(byCioId.person_id).toBe(one.person_id);
  });
});

describe('automatic merge', () => {
  const twins = (): { shop: Scenario; idPerson: string | null; emailPerson: string | null } => {
    const shop = new Scenario();
    const idPerson = shop.claim({ path: '42', anonymousId: 'phone' }).person_id;
    const emailPerson = shop.claim({ path: 'ann@example.com', anonymousId: 'laptop' }).person_id;
    return { shop, idPerson, emailPerson };
  };

  test('C.3: id and email of two people who lack each other’s merge; the older profile survives', () => {
    const { shop, idPerson, emailPerson } = twins();
    const outputs = shop.send(shop.claimRequest({ path: 'ann@example.com', id: '42', anonymousId: 'v3' }));
    expect(replies(outputs)).toMatchObject([{ kind: 'granted', person_id: idPerson, detail: null }]);
    expect(news(outputs)).toMatchObject([
      { kind: 'absorbed', person_id: emailPerson, other_person_id: idPerson },
    ]);
    expect(shop.person('42')).toMatchObject({ personId: idPerson, id: '42', email: 'ann@example.com' });
    expect(shop.graph.ownerOf('laptop')).toBe(idPerson);
  });

  test('C.3: not when it is switched off: the path’s person, and a conflict', () => {
    const { shop, emailPerson } = twins();
    shop.settings({ auto_merge: false });
    const reply = shop.claim({ path: 'ann@example.com', id: '42' });
    expect(reply.person_id).toBe(emailPerson);
    expect(conflicts(reply.detail)).toMatchObject({ conflicts: [{ kind: 'id', value: '42' }] });
  });

  test('C.3: not when the id’s person has an email of their own', () => {
    const shop = new Scenario();
    shop.claim({ path: '1', email: 'one@example.com' });
    const two = shop.claim({ path: 'two@example.com' });
    const reply = shop.claim({ path: 'two@example.com', id: '1' });
    expect(reply.person_id).toBe(two.person_id);
    expect(shop.facts().some(({ kind }) => kind === 'person_absorbed')).toBe(false);
  });
});

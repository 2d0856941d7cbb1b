/** Spec A.1: add_customers and remove_customers. */
import { describe, expect, test } from '@jest/globals';
import { membershipIn } from '../../schemas/membership.ts';
import { call, controlOf, correctionsOf, refusalOf, sent } from '../testing/ingest-calls.ts';
import { translateMembership, type MembershipTarget } from './translate-membership.ts';

const vip: MembershipTarget = { segmentId: 'vip', type: 'manual', action: 'add', idType: undefined };
const translate = (body: object, target: Partial<MembershipTarget> = {}) =>
  translateMembership(call, { ...vip, ...target }, sent(body));
const refusal = (body: object, target: Partial<MembershipTarget> = {}) =>
  refusalOf(translate(body, target)).message;

describe('people for a manual segment', () => {
  test('are one control call, each name once and in its form', () => {
    const request = controlOf(translate({ ids: ['1', ' 2 ', '1', 3] }));
    expect(request).toMatchObject({ kind: 'membership', workspace: 'shop', message_id: 'minted' });
    expect(membershipIn(request.detail)).toEqual({
      segment_id: 'vip',
      action: 'add',
      kind: 'id',
      values: ['1', '2', '3'],
    });
  });

  test('by email and by cio_id; values of another type are left out, with a row', () => {
    const emails = translate({ ids: ['Ann@Shop.example', 'bob'] }, { idType: 'email', action: 'remove' });
    expect(membershipIn(controlOf(emails).detail)).toMatchObject({
      action: 'remove',
      kind: 'email',
      values: ['ann@shop.example'],
    });
    expect(correctionsOf(emails)).toEqual(['ids.1: not_a_name']);
    const people = translate({ ids: ['cio_1', null, {}] }, { idType: 'cio_id' });
    expect(membershipIn(controlOf(people).detail)).toMatchObject({ kind: 'cio_id', values: ['cio_1'] });
    expect(correctionsOf(people)).toEqual(['ids.1: not_a_name', 'ids.2: not_a_name']);
    const none = translate({ ids: ['1'] }, { idType: 'email' });
    expect(correctionsOf(none)).toEqual(['ids.0: not_a_name']);
    expect(() => controlOf(none)).toThrow('no control call');
  });

  test('1 to 1,000 of them', () => {
    const ids = (count: number) => ({ ids: Array.from({ length: count }, (_, at) => `u${String(at)}`) });
    expect(membershipIn(controlOf(translate(ids(1_000))).detail).values).toHaveLength(1_000);
    expect(refusal(ids(1_001))).toMatch(/more than 1000/);
    expect(refusal(ids(0))).toMatch(/at least one/);
    expect(refusal({})).toMatch(/must be a list/);
  });

  test('a call that would be too large to keep is refused', () => {
    const ids = Array.from({ length: 1_000 }, (_, at) => `${String(at).padStart(4, '0')}${'"'.repeat(146)}`);
    expect(refusal({ ids })).toMatch(/cannot be longer than 262144 bytes/);
  });

  test('only where there is such a segment, and no rule says who is in it', () => {
    expect(refusal({ ids: ['1'] }, { type: undefined })).toBe('segment vip does not exist');
    expect(refusal({ ids: ['1'] }, { type: 'data_driven' })).toMatch(/is data-driven/);
    expect(refusal({ ids: ['1'] }, { idType: 'phone' })).toBe('id_type must be id, email or cio_id');
  });
});

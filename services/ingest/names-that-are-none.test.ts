/** What stands where a name belongs and is none: it leaves a row, or the call is refused, and never nothing at all. */
import { describe, expect, test } from '@jest/globals';
import {
  call as context,
  correctionsOf,
  eventOf,
  refusalOf,
  sent,
  strictFaultsOf,
} from '../testing/ingest-calls.ts';
import { translateDevice } from './translate-device.ts';
import { translateForm } from './translate-form.ts';
import { translatePipelines } from './translate-pipelines.ts';
import {
  translateControl,
  translateIdentify,
  translateOperation,
  translatePersonEvent,
} from './translate-track.ts';

const call = { ...context, context: null };
const pipelines = (type: string, body: object) => translatePipelines(call, type, sent(body));
const put = (path: string, body: object) => translateIdentify(context, path, sent(body));
const v2 = (body: object) => translateOperation(context, sent({ type: 'person', ...body }));

describe('an email that is none is left out with a row', () => {
  const mistyped = ['grace@walkshop,example', 'grace@walkshop', 'grace', 42, { is: 'none' }];

  test.each(mistyped)('%j: of an identify with and without another name', (email) => {
    const known = pipelines('identify', { userId: 'ws-p4', traits: { email } });
    expect(eventOf(known)).toMatchObject({ identifier: 'ws-p4', email: null });
    expect(correctionsOf(known)).toEqual(['traits.email: not_a_name']);
    expect(strictFaultsOf(known)).toMatchObject([
      { reason: 'identifier_illegal', message: 'traits.email is not an email address' },
    ]);
    const visitor = pipelines('identify', { anonymousId: 'v', traits: { email } });
    expect(eventOf(visitor)).toMatchObject({ type: 'traits', anonymous_id: 'v' });
    expect(correctionsOf(visitor)).toEqual(['traits.email: not_a_name']);
    expect(strictFaultsOf(pipelines('identify', { traits: { email } })).length).toBeGreaterThan(0);
  });

  test.each(mistyped)('%j: of Track, v1 and v2', (email) => {
    expect(correctionsOf(put('ws-p4', { email }))).toEqual(['email: not_a_name']);
    const identify = { action: 'identify', identifiers: { id: '42' }, attributes: { email } };
    expect(correctionsOf(v2(identify))).toEqual(['email: not_a_name']);
  });

  test('an empty one takes the email away, which is no news', () => {
    for (const email of ['', ' ', null]) {
      expect(correctionsOf(pipelines('identify', { userId: '42', traits: { email } }))).toEqual([]);
      expect(correctionsOf(put('42', { email }))).toEqual([]);
    }
  });

  test('where the email is the name, Track answers 400', () => {
    const identifiers = { email: 'grace@walkshop' };
    for (const action of ['identify', 'event', 'page', 'delete']) {
      expect(refusalOf(v2({ action, name: 'x', identifiers }))).toMatchObject({
        reason: 'identifier_illegal',
        message: 'email is not an email address',
      });
    }
    const form = translateForm(context, 'f', sent({ data: identifiers }));
    expect(refusalOf(form).message).toBe('email is not an email address');
  });

  test('a cio_id or an anonymous id of a wrong type is left out with a row', () => {
    expect(correctionsOf(put('42', { cio_id: 7 }))).toEqual(['cio_id: not_a_name']);
    const identify = { action: 'identify', identifiers: { id: '42', anonymous_id: ['v'] } };
    expect(correctionsOf(v2(identify))).toEqual(['anonymous_id: not_a_name']);
  });
});

describe('a placeholder alone names nobody: Track answers 400', () => {
  const told = { reason: 'identifier_illegal', message: 'id undefined is a placeholder that names nobody' };

  test('on every route about a person', () => {
    const identifiers = { id: 'undefined' };
    const device = { id: 't', platform: 'ios' };
    for (const translation of [
      put('undefined', { plan: 'gold' }),
      put('undefined', { email: 'grace@walkshop' }),
      put('undefined', { id: 'null', anonymous_id: 'null' }),
      translatePersonEvent(context, 'undefined', sent({ name: 'x' })),
      translateDevice(context, 'undefined', sent({ device })),
      translateForm(context, 'f', sent({ data: identifiers })),
      v2({ action: 'identify', identifiers }),
      v2({ action: 'event', name: 'x', identifiers }),
      v2({ action: 'add_device', device: { ...device, token: 't' }, identifiers }),
    ]) {
      expect(refusalOf(translation)).toMatchObject(told);
    }
  });

  test('beside an email among the attributes it is as if absent', () => {
    const translation = put('undefined', { email: 'grace@mail.example', plan: 'gold' });
    expect(eventOf(translation)).toMatchObject({
      type: 'identify',
      identifier_kind: 'email',
      identifier: 'grace@mail.example',
      id: null,
    });
    expect(correctionsOf(translation)).toEqual(['id: placeholder']);
    expect(eventOf(put('42', { id: 'undefined' }))).toMatchObject({ identifier: '42', id: '42' });
  });

  test('beside an anonymous id it is what the visitor says of themselves', () => {
    const translation = put('undefined', { anonymous_id: 'v', plan: 'gold' });
    expect(eventOf(translation)).toMatchObject({
      type: 'traits',
      anonymous_id: 'v',
      identifier: null,
      properties: '{"plan":"gold"}',
    });
    expect(correctionsOf(translation)).toEqual(['id: placeholder']);
  });

  test('a workspace may let it be, and whoever was named so can be deleted', () => {
    const allowed = { ...context, placeholdersAllowed: true };
    expect(eventOf(translateIdentify(allowed, 'null', sent({})))).toMatchObject({ identifier: 'null' });
    expect(translateControl(context, 'delete', 'undefined').type).toBe('accepted');
    expect(v2({ action: 'delete', identifiers: { id: 'undefined' } }).type).toBe('accepted');
  });

  test('Pipelines says which name was one', () => {
    for (const type of ['track', 'identify', 'page', 'group', 'alias']) {
      const body = { userId: 'undefined', event: 'x', groupId: 'g', previousId: 'p' };
      expect(refusalOf(pipelines(type, body)).message).toContain(
        'userId undefined is a placeholder that names nobody',
      );
    }
  });
});

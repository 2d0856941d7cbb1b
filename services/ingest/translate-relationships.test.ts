/** Relationships of people and of visitors: what each route becomes (spec A.1, A.2, A.3, C.1 row 23). */
import { describe, expect, test } from '@jest/globals';
import { call, refusalOf, sent } from '../testing/ingest-calls.ts';
import type { Translation } from './translation.ts';
import { behindDeletions } from './translate-object.ts';
import { translatePipelines } from './translate-pipelines.ts';
import { translateIdentify, translateOperation } from './translate-track.ts';

/** `visitor | person: action type/object …` of each relate record; other events by their type, rows by their reason. */
function told(translation: Translation): string[] {
  if (translation.type === 'refused') throw new Error(translation.message);
  return translation.outcomes.map((outcome) => {
    if (outcome.type === 'dropped') return `dropped ${outcome.dropped.reason}`;
    if (outcome.type === 'control') return outcome.request.kind;
    const { type, anonymous_id: visitor, identifier, properties } = outcome.event;
    const who = [visitor, identifier].filter((each) => each !== null).join(' ');
    if (type === 'object') {
      const { action, object_type_id, object_id } = JSON.parse(properties ?? '') as Record<string, string>;
      return `${String(action)} ${String(object_type_id)}/${String(object_id)}`;
    }
    if (type !== 'relate') return `${who}: ${type}`;
    const { action, relationships } = JSON.parse(properties ?? '') as {
      action: string;
      relationships: { object_type_id: string; object_id: string }[];
    };
    const objects = relationships.map((each) => `${each.object_type_id}/${each.object_id}`);
    return `${who}: ${action} ${objects.join(' ')}`;
  });
}
const properties = (translation: Translation, index = 0): unknown => {
  const outcome = translation.type === 'accepted' ? translation.outcomes[index] : undefined;
  return outcome?.type === 'event' ? JSON.parse(outcome.event.properties ?? '') : undefined;
};

const operation = (body: object) => translateOperation(call, sent(body));
const pipelines = (type: string, body: object) =>
  translatePipelines({ ...call, context: null }, type, sent(body));
const acme = { object_type_id: '2', object_id: 'acme' };

describe('Track v1', () => {
  test('cio_relationships go behind the identify, in the same lane', () => {
    const relationships = [{ identifiers: acme, relationship_attributes: { role: 'admin' } }];
    const body = { anonymous_id: 'x', cio_relationships: { action: 'add_relationships', relationships } };
    const translation = translateIdentify(call, '42', sent(body));
    expect(told(translation)).toEqual(['x 42: identify', 'x 42: add 2/acme']);
    expect(properties(translation, 1)).toEqual({
      action: 'add',
      relationships: [{ ...acme, attributes: { role: 'admin' } }],
    });
    const less = { cio_relationships: { action: 'delete_relationships', relationships } };
    expect(told(translateIdentify(call, '42', sent(less)))).toEqual(['42: identify', '42: delete 2/acme']);
  });

  test('an entry that names no object leaves a row; the identify counts', () => {
    const relationships = [{ identifiers: { cio_object_id: 'ob1' } }, { identifiers: acme }, 7];
    const body = { cio_relationships: { relationships } };
    expect(told(translateIdentify(call, '42', sent(body)))).toEqual([
      '42: identify',
      '42: add 2/acme',
      'dropped invalid_call',
    ]);
  });
});

describe('Track v2', () => {
  const relationships = { cio_relationships: [{ identifiers: acme }] };

  test('of a person: with an identify, by themselves, and away again', () => {
    const person = { type: 'person', identifiers: { id: '42' } };
    expect(told(operation({ ...person, action: 'identify', ...relationships }))).toEqual([
      '42: identify',
      '42: add 2/acme',
    ]);
    expect(told(operation({ ...person, action: 'add_relationships', ...relationships }))).toEqual([
      '42: add 2/acme',
    ]);
    expect(told(operation({ ...person, action: 'delete_relationships', ...relationships }))).toEqual([
      '42: delete 2/acme',
    ]);
    expect(refusalOf(operation({ ...person, action: 'add_relationships' })).reason).toBe('invalid_call');
  });

  test('row 23: identify_anonymous of an object goes to the visitor’s lane, with what is said of the object', () => {
    const translation = operation({
      type: 'object',
      action: 'identify_anonymous',
      identifiers: acme,
      attributes: { plan: 'pro' },
      cio_relationships: [{ identifiers: { anonymous_id: 'x' }, relationship_attributes: { role: 'dev' } }],
    });
    expect(told(translation)).toEqual(['x: add 2/acme', 'set 2/acme']);
    expect(properties(translation)).toEqual({
      action: 'add',
      relationships: [{ ...acme, attributes: { role: 'dev' }, object_attributes: { plan: 'pro' } }],
    });
    expect(properties(translation, 1)).toEqual({ action: 'set', ...acme, attributes: { plan: 'pro' } });
  });

  test('an object by itself: what is said of it, and that it is deleted', () => {
    const object = { type: 'object', identifiers: acme, attributes: { plan: 'pro' } };
    const set = operation({ ...object, action: 'identify' });
    expect(told(set)).toEqual(['set 2/acme']);
    expect(properties(set)).toEqual({ action: 'set', ...acme, attributes: { plan: 'pro' } });
    expect(told(operation({ ...object, action: 'identify', cio_relationships: [] }))).toEqual(['set 2/acme']);
    const gone = operation({ ...object, action: 'delete', timestamp: 1_700_000_000 });
    expect(told(gone)).toEqual(['delete 2/acme']);
    expect(properties(gone)).toEqual({ action: 'delete', ...acme });
    expect(gone).toMatchObject({
      outcomes: [{ event: { name: 'Object Deleted', anonymous_id: null, timestamp: 1_700_000_000_000 } }],
    });
  });

  test('an object with several people is a record for each', () => {
    const people = [{ id: '1' }, { email: 'a@b.c' }, { anonymous_id: 'x' }, {}];
    const object = {
      type: 'object',
      identifiers: acme,
      cio_relationships: people.map((identifiers) => ({ identifiers })),
    };
    for (const action of ['identify', 'add_relationships']) {
      expect(told(operation({ ...object, action }))).toEqual([
        '1: add 2/acme',
        'a@b.c: add 2/acme',
        'x: add 2/acme',
        'dropped invalid_call',
      ]);
    }
    expect(told(operation({ ...object, action: 'delete_relationships' }))[0]).toBe('1: delete 2/acme');
  });

  test('what is said of an object goes with each who is put to it, and does not make a call very many times what it was', () => {
    const entry = { identifiers: { id: 'a' } };
    const putting = (people: number, chars: number) =>
      operation({
        type: 'object',
        action: 'identify',
        identifiers: acme,
        attributes: { text: 'x'.repeat(chars) },
        cio_relationships: Array.from({ length: people }, () => entry),
      });
    expect(told(putting(200, 10_000))).toHaveLength(201);
    expect(told(putting(600, 1_000))).toHaveLength(601);
    expect(refusalOf(putting(600, 10_000))).toMatchObject({ reason: 'limit_exceeded', field: 'attributes' });
  });

  test.each([
    [{ action: 'suppress', identifiers: acme }, 'invalid_call'],
    [{ action: 'delete', identifiers: {} }, 'invalid_call'],
    [{ action: 'identify' }, 'invalid_call'],
    [{ action: 'delete', identifiers: { object_id: 'x'.repeat(151) } }, 'limit_exceeded'],
    [{ action: 'add_relationships', identifiers: acme }, 'invalid_call'],
    [{ action: 'identify', cio_relationships: [{ identifiers: { id: '1' } }] }, 'invalid_call'],
  ])('refused: %j', (body, reason) => {
    expect(refusalOf(operation({ type: 'object', ...body })).reason).toBe(reason);
  });
});

describe('Pipelines', () => {
  test('group: an object of type 1, or of the type in the traits, and who has it', () => {
    const traits = { name: 'Acme', relationshipAttributes: { role: 'dev' } };
    const group = { anonymousId: 'x', groupId: 'acme', traits, messageId: 'm' };
    expect(told(pipelines('group', group))).toEqual(['x: add 1/acme']);
    expect(properties(pipelines('group', group))).toMatchObject({
      relationships: [{ attributes: { role: 'dev' }, object_attributes: { name: 'Acme' } }],
    });
    const typed = { userId: '42', groupId: 7, traits: { object_type_id: '3' } };
    expect(told(pipelines('group', typed))).toEqual(['42: add 3/7']);
    expect(refusalOf(pipelines('group', { groupId: 'acme' })).reason).toBe('invalid_call');
    expect(refusalOf(pipelines('group', { userId: '1', groupId: 'x'.repeat(151) })).reason).toBe(
      'limit_exceeded',
    );
  });

  test('group keeps the client’s message id, so that a repeat is one', () => {
    const translation = pipelines('group', { userId: '42', groupId: 'acme', messageId: 'm' });
    expect(translation).toMatchObject({ outcomes: [{ event: { message_id: 'm', type: 'relate' } }] });
  });

  test('Relationship Deleted takes one away', () => {
    const event = {
      event: 'Relationship Deleted',
      userId: '42',
      properties: { objectId: 'acme', objectTypeId: 2 },
    };
    expect(told(pipelines('track', event))).toEqual(['42: delete 2/acme']);
  });

  test('Object Deleted deletes it for everybody, whoever tells of it', () => {
    const event = {
      event: 'Object Deleted',
      messageId: 'm',
      properties: { objectId: 'acme', objectTypeId: 2 },
    };
    for (const who of [{ userId: '42' }, { anonymousId: 'x' }]) {
      const translation = pipelines('track', { ...event, ...who });
      expect(told(translation)).toEqual(['delete 2/acme']);
      expect(translation).toMatchObject({ outcomes: [{ event: { message_id: 'm', identifier: null } }] });
    }
    const nameless = { event: 'Object Deleted', userId: '42', properties: {} };
    expect(told(pipelines('track', nameless))).toEqual(['42: event']);
  });

  test('what stands behind a deletion in a batch is received behind it', () => {
    const deletion = pipelines('track', {
      event: 'Object Deleted',
      anonymousId: 'x',
      properties: { objectId: 'acme' },
    });
    if (deletion.type === 'refused') throw new Error(deletion.message);
    expect(behindDeletions(call, deletion.outcomes).receivedAt).toBe(call.receivedAt + 1);
    expect(behindDeletions(call, [])).toBe(call);
  });
});

import { describe, expect, test } from '@jest/globals';
import { call, refusalOf, sent } from '../testing/ingest-calls.ts';
import { translateForm } from './translate-form.ts';

const form = (path: string, body: object | string) => translateForm(call, path, sent(body));

describe('a form that is sent in, spec A.1', () => {
  test('names the person, claims what its visitor did, and says which form it was', () => {
    const data = '{"email":"Ada@Shop.example","first":"Ada","anonymous_id":"anon-1","n":1.0}';
    const translation = form('newsletter', `{"data":${data}}`);
    expect(translation).toMatchObject({
      type: 'accepted',
      outcomes: [
        {
          event: {
            type: 'identify',
            identifier_kind: 'email',
            identifier: 'ada@shop.example',
            anonymous_id: 'anon-1',
            properties: data,
          },
        },
        {
          event: {
            type: 'event',
            identifier: 'ada@shop.example',
            anonymous_id: null,
            name: 'Form Submitted',
            properties: `{"form_id":"newsletter","data":${data}}`,
          },
        },
      ],
    });
  });

  test.each<[string, object, string]>([
    ['f', {}, 'data must be an object'],
    ['f', { data: {} }, 'data must have exactly one of id and email'],
    ['f', { data: { id: '', email: null } }, 'data must have exactly one of id and email'],
    ['f', { data: { id: '1', email: 'a@b.c' } }, 'data must have exactly one of id and email'],
    [' ', { data: { id: '1' } }, 'form_id attribute cannot be an empty string'],
    [
      'f',
      { data: { id: '1', x: 'x'.repeat(1_001) } },
      "value for attribute 'x' cannot be longer than 1000 bytes",
    ],
    [
      'f',
      { data: { id: '1', list: ['x'.repeat(100_000)] } },
      'event data cannot be longer than 100000 bytes',
    ],
  ])('the form %j with %j is refused', (path, body, message) => {
    expect(refusalOf(form(path, body)).message).toBe(message);
  });

  test('an email beside a blank id is enough', () => {
    expect(form('f', { data: { id: ' ', email: 'a@b.c' } }).type).toBe('accepted');
  });
});

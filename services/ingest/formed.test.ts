/** Events in the form that a workspace asks for: names, items, moments that identify. */
import { describe, expect, test } from '@jest/globals';
import { eventDataBytesMax, eventTextBytesMax } from '../../schemas/http/limits.ts';
import { defaultSettings, type WorkspaceSettings } from '../runtime/workspace-settings.ts';
import { call, correctionsOf, eventOf, sent } from '../testing/ingest-calls.ts';
import type { CallContext, Translation } from './translation.ts';
import { formed, formOf } from './formed.ts';
import { numberText } from './normalise-items.ts';
import { translatePipelines } from './translate-pipelines.ts';
import { translateAnonymousEvent, translateOperation, translatePersonEvent } from './translate-track.ts';

function callWith(settings: Partial<WorkspaceSettings>): CallContext {
  return { ...call, form: formOf({ ...defaultSettings, ...settings }) };
}
const track = (context: CallContext, body: object | string) => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return formed(context, translatePipelines({ ...context, context: null }, 'track', sent(text)));
};
const kept = (translation: Translation) => {
  const { name, properties, context } = eventOf(translation);
  return { name, properties, context };
};

describe('names (E row 114)', () => {
  const names = { 'Added to Cart': ['add_to_cart'] };
  const context = callWith({ event_names: { preset: null, names } });

  test('of every route: the canonical name is kept, and what was sent stands in context.as_sent', () => {
    const asSent = (name: string) => `{"as_sent":{"name":"${name}"}}`;
    const added = { name: 'Added to Cart', properties: null };
    const event = { name: 'add_to_cart', anonymous_id: 'v' };
    expect(kept(track(context, { event: 'add_to_cart', anonymousId: 'v' }))).toEqual({
      ...added,
      context: asSent('add_to_cart'),
    });
    expect(kept(formed(context, translateAnonymousEvent(context, sent(event))))).toEqual({
      ...added,
      context: asSent('add_to_cart'),
    });
    expect(kept(formed(context, translatePersonEvent(context, '42', sent({ name: 'addedToCart' }))))).toEqual(
      {
        ...added,
        context: asSent('addedToCart'),
      },
    );
    const operation = { type: 'person', action: 'event', identifiers: { id: '42' }, name: 'AddToCart' };
    expect(kept(formed(context, translateOperation(context, sent(operation))))).toEqual({
      ...added,
      context: asSent('AddToCart'),
    });
  });

  test('the client’s context stays text for text beside it', () => {
    const body = '{"event":"add_to_cart","anonymousId":"v","context":{"n":1.0, "ip":"x"}}';
    expect(kept(track(context, body)).context).toBe('{"n":1.0,"ip":"x","as_sent":{"name":"add_to_cart"}}');
  });

  test('an event that has the name, a page and another event stay as they are', () => {
    expect(kept(track(context, { event: 'Added to Cart', anonymousId: 'v' })).context).toBeNull();
    const page = { anonymousId: 'v', name: 'add_to_cart' };
    const viewed = formed(
      context,
      translatePipelines({ ...context, context: null }, 'page', sent(JSON.stringify(page))),
    );
    expect(kept(viewed)).toMatchObject({ name: 'add_to_cart', context: null });
  });

  test('a workspace that asks for nothing has no form', () => {
    expect(formOf(defaultSettings)).toBeUndefined();
  });
});

describe('items (E row 112)', () => {
  const context = callWith({ normalise_items: true });
  const items = (properties: object | string) => {
    const text = typeof properties === 'string' ? properties : JSON.stringify(properties);
    return kept(track(context, `{"event":"Added to Cart","anonymousId":"v","properties":${text}}`));
  };
  const listOf = (properties: object | string): unknown =>
    (JSON.parse(items(properties).properties ?? '') as { items: unknown }).items;

  test.each([
    ['items', [{ item_id: 'boots', item_name: 'Boots', quantity: '2', price: '129,90' }]],
    ['products', [{ product_id: 'boots', title: 'Boots', quantity: 2, unit_price: 129.9 }]],
    ['line_items', [{ SKU: 'boots', name: 'Boots', qty: 2, price: '€129.90' }]],
  ])('%s become one list', (field, list) => {
    expect(listOf({ [field]: list })).toEqual([{ sku: 'boots', name: 'Boots', qty: 2, price: 129.9 }]);
  });

  test('skus become items of a sku', () => {
    expect(listOf({ skus: ['boots', 7, null] })).toEqual([{ sku: 'boots' }, { sku: '7' }]);
  });

  test('all eight members in their order, the rest behind them, and numbers keep their digits', () => {
    const product =
      '{"colour":"red","price":129.90,"quantity":2,"id":"p","category":"Shoes","url":"/p","image":"/i","variant":42,"name":"Boots"}';
    expect(items(`{"products":[${product}]}`).properties).toBe(
      `{"products":[${product}],"items":[{"sku":"p","name":"Boots","qty":2,"price":129.90,` +
        `"image_url":"/i","product_url":"/p","variant_id":"42","category":"Shoes","colour":"red"}]}`,
    );
  });

  test('a list of the client’s own that is called items is kept as it was sent, in context', () => {
    const own = '[{"item_id":"p","price":"1,299.00"}]';
    const { properties, context: told } = items(`{"items":${own},"currency":"EUR"}`);
    expect(properties).toBe('{"items":[{"sku":"p","price":1299.00}],"currency":"EUR"}');
    expect(told).toBe(`{"as_sent":{"items":${own}}}`);
  });

  test('a list that is as it should be, and an event without one, stay as they were sent', () => {
    const good = '{"items":[{"sku":"p","name":"Boots","qty":1}]}';
    expect(items(good)).toMatchObject({ properties: good, context: null });
    expect(items('{"items":"boots"}')).toMatchObject({ properties: '{"items":"boots"}', context: null });
    expect(items('{"total":5}')).toMatchObject({ properties: '{"total":5}', context: null });
  });

  test.each([
    ['129.90', '129.90'],
    ['1,299.00', '1299.00'],
    ['1.299,00', '1299.00'],
    ['1,299', '1299'],
    ['1,29', '1.29'],
    ['€ 129,90', '129.90'],
    ['129.90 EUR', '129.90'],
    ['-007', '-7'],
    ['1.299.000', '1299000'],
    ['1.299', undefined], // 1.299 of a program, 1299 of a German shop
    ['€ 12.500', undefined],
    ['-999.999', undefined],
    ['0.299', '0.299'], // no thousands begin with a zero
    ['1299.500', '1299.500'],
    ['1.2990', '1.2990'],
    ['12.50', '12.50'],
    ['free', undefined],
    ['1,2,3', undefined],
    ['1e5', undefined],
    ['', undefined],
  ])('the text %s is the number %s', (text, number) => {
    expect(numberText(text)).toBe(number);
    if (number !== undefined) expect(JSON.parse(number)).toBe(Number(number));
  });

  test('the largest event that may be sent still fits when it is normalised', () => {
    const skus = Array.from({ length: 33_000 }, () => 'x');
    const body = JSON.stringify({ name: 'x', anonymous_id: 'v', data: { skus: skus.slice(0, 24_000) } });
    expect(body.length).toBeLessThan(eventDataBytesMax);
    const { properties, context: told } = kept(formed(context, translateAnonymousEvent(context, sent(body))));
    expect((properties ?? '').length + (told ?? '').length).toBeLessThan(eventTextBytesMax);
    // The most that a byte can grow to is `{"sku":"x"},` for `"",` or `7,`.
    expect(eventDataBytesMax * (1 + 13 / 2)).toBeLessThan(eventTextBytesMax);
  });
});

describe('moments that identify (E row 88)', () => {
  const moments = [
    { event: 'Email Captured', property: 'email', kind: 'email' },
    { event: 'Checkout Started', property: 'customer.email', kind: 'email' },
    { event: 'Account Created', property: 'account', kind: 'id' },
    { event: 'SMS Signup', property: 'phone', kind: 'phone' },
  ] as const;
  const context: CallContext = {
    ...callWith({ identify_moments: moments, event_names: { preset: 'storefront', names: {} } }),
    phones: { country: 'AT' },
  };
  const told = (body: object): readonly string[] => {
    const translation = track(context, { anonymousId: 'v', messageId: 'm', ...body });
    if (translation.type === 'refused') throw new Error(translation.message);
    return translation.outcomes.map((outcome) => {
      if (outcome.type !== 'event') return outcome.type;
      const {
        type,
        identifier_kind: kind,
        identifier,
        anonymous_id: visitor,
        message_id: id,
      } = outcome.event;
      return `${type} ${id} of ${kind} ${identifier ?? '-'}, visitor ${visitor ?? '-'}`;
    });
  };

  test.each<[string, object, string]>([
    [
      'a popup',
      { event: 'email_captured', properties: { email: 'Ada@Shop.example' } },
      'email ada@shop.example',
    ],
    [
      'a checkout',
      { event: 'begin_checkout', properties: { customer: { email: 'ada@shop.example' } } },
      'email ada@shop.example',
    ],
    ['an account', { event: 'Account Created', properties: { account: 4711 } }, 'id 4711'],
    ['an SMS', { event: 'SMS Signup', properties: { phone: '0660 1234567' } }, 'id +436601234567'],
  ])('%s claims the visitor, and the event is the person’s', (_what, body, who) => {
    const [identify, event] = told(body);
    expect(identify).toBe(`identify m#identify of ${who}, visitor v`);
    expect(event).toBe(`event m of ${who}, visitor v`);
  });

  test.each<[string, object]>([
    ['no email', { event: 'Email Captured', properties: { email: 'nobody' } }],
    ['a placeholder', { event: 'Account Created', properties: { account: 'unknown' } }],
    ['no property', { event: 'Email Captured', properties: {} }],
    ['no properties', { event: 'Email Captured' }],
    ['another event', { event: 'Product Viewed', properties: { email: 'ada@shop.example' } }],
  ])('%s identifies nobody', (_what, body) => {
    expect(told(body).filter((each) => each.startsWith('identify'))).toEqual([]);
    expect(told(body)[0]).toBe('event m of none -, visitor v');
  });

  test.each([
    ['Email Captured', 'email', 'ada@shop'],
    ['SMS Signup', 'phone', '12'],
  ])('%s with a %s that is none leaves a row', (event, property, value) => {
    const body = { event, anonymousId: 'v', properties: { [property]: value } };
    expect(correctionsOf(track(context, body))).toEqual([`properties.${property}: not_a_name`]);
  });

  test('an event that names somebody by itself stays as it is', () => {
    const body = { event: 'Email Captured', userId: 'bob', properties: { email: 'ada@shop.example' } };
    expect(told(body)).toEqual(['event m of id bob, visitor v']);
  });
});

/** What may be asked of people (contract, *Definitions*), each kind by a story. */
import { describe, expect, test } from '@jest/globals';
import {
  DAY,
  HOUR,
  MINUTE,
  T0,
  Trigger,
  happened,
  identified,
  lines,
} from '../testing/scenarios/trigger-scenario.ts';

const looks = (at: number, id = `look${String(at)}`) => identified({ at, id, properties: {} });
const page = (name: string | null, rest: object = {}) =>
  happened({ type: 'page', id: 'p', ...rest, fields: { name } });
const object = (entry: object, rest: object = {}) =>
  happened({
    ...rest,
    fields: { type: 'relate', name: null },
    properties: { action: 'add', relationships: [{ object_type_id: '1', object_id: 'acme', ...entry }] },
  });

describe('a page', () => {
  test('case 28: is asked for by the beginning of its name, or by its address', () => {
    const trigger = new Trigger()
      .segment('named', {
        event: { operator: 'starts_with', value: 'https://shop.example/pricing' },
        type: 'page',
      })
      .segment('at', {
        type: 'page',
        where: [{ property: 'address', operator: 'eq', value: 'https://shop.example/pricing' }],
      })
      .segment('exact', { event: 'https://shop.example/pricing' });
    expect(trigger.then(page('https://shop.example/pricing?gclid=1#top')).sort()).toEqual([
      'cio_a entered at because of p',
      'cio_a entered named because of p',
    ]);
  });

  test('or a screen may be any, also one without a name; an event is none', () => {
    const trigger = new Trigger().segment('three', { type: 'page', count: { at_least: 3 } });
    const records = [page('a'), page(null, { id: 'q' }), happened({ name: 'a' }), page('b', { id: 'r' })];
    expect(trigger.then(...records)).toEqual(['cio_a entered three because of r']);
  });
});

describe('anything at all', () => {
  test('is an event, a page or a screen of whatever name; without a test those of one kind', () => {
    const trigger = new Trigger()
      .segment('named', { event: { operator: 'exists' }, count: { at_least: 2 } })
      .segment('events', { type: 'event', count: { at_least: 2 } })
      .segment('away', { not: { event: { operator: 'exists' }, within: 'P30D' } });
    expect(trigger.then(page(null, { at: T0 }), page('https://shop.example/', { id: 'q', at: T0 }))).toEqual([
      'cio_a entered away because of p',
      'cio_a left away because of q',
    ]);
    expect(trigger.then(happened({ name: 'Odd', id: 'm', at: T0 })).sort()).toEqual([
      'cio_a entered named because of m',
    ]);
    expect(trigger.then(happened({ name: 'Other', id: 'n', at: T0 }))).toEqual([
      'cio_a entered events because of n',
    ]);
    expect(trigger.until(T0 + 30 * DAY)).toEqual(['cio_a entered away']);
  });
});

describe('a negative window that needs age', () => {
  const bought = { event: 'Order Completed', within: 'P30D' };

  test('holds for nobody who is younger than the window, and without age for everybody', () => {
    const trigger = new Trigger()
      .segment('faithful', { not: bought, age: 'required' })
      .segment('any', { not: bought });
    expect(trigger.then(happened({ id: 'm', at: T0 }))).toEqual(['cio_a entered any because of m']);
    expect(trigger.then(looks(T0 + 30 * DAY - 1))).toEqual([]);
    expect(trigger.then(looks(T0 + 30 * DAY))).toEqual(['cio_a entered faithful']);
  });

  test('an event from before makes the person older at once', () => {
    const trigger = new Trigger().segment('faithful', { not: bought, age: 'required' });
    trigger.feed(happened({ at: T0 }));
    const merged = happened({ id: 'old', at: T0 + 1, timestamp: T0 - 30 * DAY });
    expect(trigger.then(merged)).toEqual(['cio_a entered faithful because of old']);
  });
});

describe('objects that a person belongs to', () => {
  test('turn a segment when they are added, change and go', () => {
    const trigger = new Trigger().segment('admins', {
      relationship: '1',
      where: [{ property: 'role', operator: 'eq', value: 'admin' }],
      object: [{ property: 'seats', operator: 'gte', value: 10 }],
    });
    expect(trigger.then(object({ attributes: { role: 'admin' }, object_attributes: { seats: 9 } }))).toEqual(
      [],
    );
    expect(trigger.then(object({ object_attributes: { seats: 10 } }, { id: 'm2' }))).toEqual([
      'cio_a entered admins because of m2',
    ]);
    expect(trigger.then(object({ attributes: { role: 'dev' } }, { id: 'm3' }))).toEqual([
      'cio_a left admins because of m3',
    ]);
  });

  test('are counted by type, and one may be meant', () => {
    const trigger = new Trigger()
      .segment('two', { relationship: '1', count: { at_least: 2 } })
      .segment('none', { relationship: '2', count: { at_most: 0 } })
      .segment('acme', { relationship: '1', id: 'acme' });
    expect(trigger.then(object({ object_id: 'other' }, { id: 'm1' }))).toEqual([
      'cio_a entered none because of m1',
    ]);
    expect(trigger.then(object({}, { id: 'm2' })).sort()).toEqual([
      'cio_a entered acme because of m2',
      'cio_a entered two because of m2',
    ]);
  });
});

describe('a stall', () => {
  const stalled = { event: 'Checkout Started', without: { event: 'Order Completed' }, for: 'PT10M' };
  const started = (at: number, id: string) => happened({ name: 'Checkout Started', at, id });
  const ordered = (at: number, id: string, timestamp = at) =>
    happened({ name: 'Order Completed', at, id, timestamp });

  test('is none at 9:59 and one at 10:00, and another checkout begins it anew', () => {
    const trigger = new Trigger().segment('s', stalled);
    trigger.feed(started(T0, 'c1'), started(T0 + 5 * MINUTE, 'c2'));
    expect(trigger.then(looks(T0 + 14 * MINUTE + 59_000))).toEqual([]);
    expect(trigger.then(looks(T0 + 15 * MINUTE))).toEqual(['cio_a entered s']);
    expect(trigger.then(started(T0 + HOUR, 'c3'))).toEqual(['cio_a left s because of c3']);
  });

  test('that ignores another one is up when the first one is', () => {
    const trigger = new Trigger().segment('s', { ...stalled, rearm: 'ignore' });
    trigger.feed(started(T0, 'c1'), started(T0 + 5 * MINUTE, 'c2'));
    expect(trigger.then(looks(T0 + 10 * MINUTE))).toEqual(['cio_a entered s']);
  });

  test('is answered by an order within the time, to the millisecond, also by one that comes late', () => {
    const trigger = new Trigger().segment('s', stalled);
    expect(trigger.then(started(T0, 'c'), ordered(T0 + 10 * MINUTE - 1, 'o'), looks(T0 + HOUR))).toEqual([]);
    const other = new Trigger().segment('s', stalled);
    expect(other.then(started(T0, 'c'), ordered(T0 + 10 * MINUTE + 1, 'o'))).toEqual(['cio_a entered s']);
    expect(other.then(ordered(T0 + HOUR, 'late', T0 + MINUTE))).toEqual(['cio_a left s because of late']);
  });

  test('of a window ends with it', () => {
    const trigger = new Trigger().segment('s', { ...stalled, within: 'PT1H' });
    trigger.feed(started(T0, 'c'));
    expect(trigger.then(looks(T0 + 10 * MINUTE), looks(T0 + HOUR - 1))).toEqual(['cio_a entered s']);
    expect(trigger.then(looks(T0 + HOUR))).toEqual(['cio_a left s']);
  });
});

test('three product pages, then a cart, then no checkout, in this order', () => {
  const product = { event: { operator: 'contains', value: '/products/' }, type: 'page' };
  const trigger = new Trigger().segment('s', {
    sequence: [product, product, product, { event: 'Added to Cart' }],
    without: { event: 'Checkout Started' },
    for: 'PT30M',
    within: 'P1D',
  });
  const pages = ['a', 'b', 'c'].map((id, index) => page(`/products/${id}`, { id, at: T0 + index }));
  const cart = happened({ at: T0 + 3, id: 'cart' });
  expect(trigger.then(...pages, cart, looks(T0 + 30 * MINUTE + 2))).toEqual([]);
  expect(trigger.then(looks(T0 + 30 * MINUTE + 3))).toEqual(['cio_a entered s']);
  expect(trigger.then(looks(T0 + DAY))).toEqual(['cio_a left s']);
});

test('row 92: a message that was viewed and not clicked is asked for by its reports', () => {
  const report = (actionType: string) => ({
    event: 'Report Content Event',
    where: [
      { property: 'actionType', operator: 'eq', value: actionType },
      { property: 'contentId', operator: 'eq', value: 77 },
    ],
  });
  const trigger = new Trigger().segment('s', {
    all: [report('viewed_content'), { not: report('clicked_content') }],
  });
  const told = (actionType: string, contentId: number, id: string) =>
    happened({ name: 'Report Content Event', id, properties: { actionType, contentId } });
  expect(trigger.then(told('viewed_content', 76, 'm0'), told('viewed_content', 77, 'm1'))).toEqual([
    'cio_a entered s because of m1',
  ]);
  expect(trigger.then(told('clicked_content', 77, 'm2'))).toEqual(['cio_a left s because of m2']);
});

describe('a device', () => {
  const told = (token: string, rest: { at?: number; id: string; timestamp?: number }, more: object = {}) =>
    happened({
      name: 'Device Created or Updated',
      properties: { app_version: '2.1' },
      ...rest,
      fields: { context: JSON.stringify({ device: { token, type: 'ios', ...more } }) },
    });
  const gone = (token: string, rest: { at?: number; id: string; timestamp?: number }) =>
    happened({
      name: 'Device Deleted',
      ...rest,
      fields: { context: JSON.stringify({ device: { token } }) },
    });

  test('that somebody has is asked for by its platform and attributes, until it is deleted', () => {
    const trigger = new Trigger().segment('apple', {
      device: true,
      where: [
        { property: 'platform', operator: 'eq', value: 'ios' },
        { property: 'app_version', operator: 'starts_with', value: '2.' },
      ],
    });
    expect(trigger.then(told('a', { id: 'm1' }, { type: 'android' }))).toEqual([]);
    expect(trigger.then(told('b', { id: 'm2', at: T0 + 1 }))).toEqual(['cio_a entered apple because of m2']);
    expect(trigger.then(gone('a', { id: 'm3', at: T0 + 2 }))).toEqual([]);
    expect(trigger.then(gone('b', { id: 'm4', at: T0 + 3 }))).toEqual(['cio_a left apple because of m4']);
  });

  test('goes by what was said of it last, by the time of the events, whatever comes late', () => {
    const trigger = new Trigger().segment('any', { device: true });
    trigger.then(gone('a', { id: 'm1', at: T0 + HOUR }));
    const late = told('a', { id: 'm2', at: T0 + HOUR + 1, timestamp: T0 });
    expect(trigger.then(late)).toEqual([]);
    expect(trigger.then(told('a', { id: 'm3', at: T0 + 2 * HOUR }))).toEqual([
      'cio_a entered any because of m3',
    ]);
  });

  test('counts, and of what was not told of for a time nothing does', () => {
    const trigger = new Trigger().segment('two', { device: true, count: { at_least: 2 }, within: 'P1D' });
    trigger.then(told('a', { id: 'm1' }));
    expect(trigger.then(told('b', { id: 'm2', at: T0 + HOUR }))).toEqual(['cio_a entered two because of m2']);
    expect(trigger.until(T0 + DAY - 1)).toEqual([]);
    expect(trigger.until(T0 + DAY)).toEqual(['cio_a left two']);
  });
});

test('E row 113: a schema_version can be asked for', () => {
  const where = [{ property: 'schema_version', operator: 'gte', value: 2 }];
  const trigger = new Trigger().segment('s', { event: 'Added to Cart', where });
  expect(trigger.then(happened({ id: 'm1', properties: { schema_version: 1 } }))).toEqual([]);
  expect(lines(trigger.feed(happened({ id: 'm2', properties: { schema_version: 2 } })))).toEqual([
    'cio_a entered s because of m2',
  ]);
});

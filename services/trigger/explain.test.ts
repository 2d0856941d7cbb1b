/** `GET /v1/explain/…`: why a person is in a segment, and what a journey would do (issue 17, contract *Definitions*). */
import { describe, expect, test } from '@jest/globals';
import { Shop } from '../testing/scenarios/explain-shop.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  T0,
  absorbed,
  deleted,
  happened,
  identified,
  watermark,
} from '../testing/scenarios/trigger-scenario.ts';
import { JourneyStates } from './decide/journey-states.ts';
import { newRun } from './decide/runs.ts';

const iso = (ms: number) => new Date(ms).toISOString();
const carts = { event: 'Added to Cart', count: { at_least: 2 }, within: 'P7D' };

describe('why a person is in a segment', () => {
  test('each condition says its value, the events that it rests on, and when it changes', () => {
    const shop = new Shop().segment('keen', {
      all: [
        carts,
        { attribute: 'plan', operator: 'eq', value: 'pro' },
        { not: { event: 'Order Completed' } },
      ],
    });
    shop.feed(
      identified({ id: 'i', at: T0, properties: { plan: 'pro' } }),
      happened({ id: 'm1', at: T0 }),
      happened({ id: 'm2', at: T0 + HOUR }),
      watermark(0, T0 + 2 * HOUR),
    );
    expect(shop.explained('segment', 'keen')).toEqual({
      person_id: 'cio_a',
      rule: { id: 'keen', version: 1 },
      result: true,
      since: iso(T0 + HOUR),
      changes_at: iso(T0 + 7 * DAY),
      says: `the person has been in it since ${iso(T0 + HOUR)}; if nothing more happens they leave at ${iso(T0 + 7 * DAY)}`,
      conditions: [
        {
          pointer: '/when/all/0',
          result: true,
          value: 2,
          events: ['m2', 'm1'],
          rests_on: [
            { message_id: 'm2', name: 'Added to Cart', timestamp: iso(T0 + HOUR) },
            { message_id: 'm1', name: 'Added to Cart', timestamp: iso(T0) },
          ],
          says: expect.stringMatching(/^did Added to Cart 2 times in the last 7 days;/),
          changes_at: iso(T0 + 7 * DAY),
        },
        {
          ...{ pointer: '/when/all/1', result: true, value: 'pro', events: [], rests_on: [] },
          says: 'plan is "pro"; asked is that it eq "pro"',
        },
        {
          ...{ pointer: '/when/all/2/not', result: false, value: 0, events: [], rests_on: [] },
          says: 'did Order Completed 0 times; asked is at least 1; it stands under not, so it must not hold',
        },
      ],
    });
  });

  test('the answer says as of which record, definition and time it is', () => {
    const shop = new Shop().segment('keen', carts);
    shop.feed(happened({ id: 'm1', at: T0 }), watermark(0, T0 + HOUR), happened({ id: 'm2', at: T0 + HOUR }));
    expect(shop.why('segment', 'keen')).toMatchObject({
      asOf: { partition: 0, offset: 3, definitionsOffset: 1, readTo: T0 + HOUR, at: T0 + HOUR },
    });
    shop.harness.reopen();
    shop.harness.batch(T0 + 10);
    expect(shop.why('segment', 'keen')).toMatchObject({ asOf: { offset: 3, definitionsOffset: 1 } });
  });

  test('of a moment to come it says what time alone will have changed, and keeps nothing', () => {
    const shop = new Shop().segment('keen', { ...carts, within: 'PT1H' });
    shop.feed(
      happened({ id: 'm1', at: T0 }),
      happened({ id: 'm2', at: T0 + MINUTE }),
      watermark(0, T0 + MINUTE),
    );
    const results = [T0 + HOUR - 1, T0 + HOUR].map(
      (at) => shop.explained('segment', 'keen', { at })['result'],
    );
    expect(results).toEqual([true, false]);
    expect(shop.explained('segment', 'keen')).toMatchObject({ result: true });
  });

  test('of one by hand it says that calls put people in, and since when they are', () => {
    const shop = new Shop();
    shop.harness.define('segment', 'default', 'hand', { name: 'By hand', type: 'manual' });
    shop.feed(identified({ id: 'i', at: T0 }));
    expect(shop.explained('segment', 'hand')).toMatchObject({
      ...{ result: false, conditions: [] },
      says: expect.stringMatching(/^the person is not in it: a manual segment has no rule/),
    });
    const put = { type: 'membership', name: 'hand' } as const;
    shop.feed(happened({ id: 'c', at: T0, fields: put, properties: { action: 'add' } }));
    expect(shop.explained('segment', 'hand')).toMatchObject({
      ...{ result: true, since: iso(T0) },
      says: `a call put the person in at ${iso(T0)}, and they stay until one takes them out (remove_customers)`,
    });
  });

  test('a definition that nobody has been looked at for yet is answered as the next record would find it', () => {
    const shop = new Shop().feed(identified({ id: 'i', properties: { plan: 'pro' } }));
    shop.segment('pros', { attribute: 'plan', operator: 'eq', value: 'pro' }).feed();
    expect(shop.explained('segment', 'pros')).toMatchObject({ result: true });
  });

  test('who was merged into another is answered as that person; who is gone, and a rule that is none, are not there', () => {
    const shop = new Shop().segment('carts', { event: 'Added to Cart' });
    shop.feed(happened({ person: 'cio_b', id: 'm1' }), happened({ id: 'm2' }), absorbed('cio_b', 'cio_a', 7));
    expect(shop.explained('segment', 'carts', { personId: 'cio_b' })).toMatchObject({ person_id: 'cio_a' });
    shop.feed(happened({ person: 'cio_c', id: 'm3' }), deleted('cio_c', 8));
    expect(shop.why('segment', 'carts', { personId: 'cio_c' })).toEqual({ type: 'person_unknown' });
    expect(shop.why('segment', 'carts', { personId: 'cio_d' })).toEqual({ type: 'person_unknown' });
    expect(shop.why('segment', 'none')).toEqual({ type: 'rule_unknown' });
  });
});

describe('what a journey would do with a person', () => {
  const cart = { event: 'Added to Cart' };

  test('lets in, and after the entry says that the frequency keeps the person out', () => {
    const shop = new Shop().journey('follow-up', cart).feed(identified({ id: 'i' }), watermark(0, T0));
    expect(shop.explained('journey', 'follow-up')).toMatchObject({
      result: true,
      entries: 0,
      state: 'running',
      says: 'if something triggered the journey at this moment, the person would enter; whether something does is not asked here',
    });
    shop.feed(happened({ id: 'm1', at: T0 }));
    expect(shop.explained('journey', 'follow-up')).toMatchObject({
      result: false,
      reason: 'frequency',
      entries: 1,
      last_entered_at: iso(T0),
      says: 'if something triggered the journey at this moment, the person would not enter: the person has entered too lately, or too often; detail says when, and what the journey asks',
    });
  });

  test('of somebody who was held out and is asked again says so, though it is the frequency that keeps them out', () => {
    const shop = new Shop().journey('half', cart, {
      holdout: 1,
      frequency: { mode: 'interval', every: 'P7D' },
    });
    shop.feed(identified({ id: 'i' }), watermark(0, T0));
    expect(shop.explained('journey', 'half')).toMatchObject({
      ...{ result: false, reason: 'held_out' },
      says: expect.stringMatching(/would not enter: the person is one of those whom the journey leaves out/),
    });
    shop.feed(happened({ id: 'm1', at: T0 }));
    expect(shop.explained('journey', 'half')).toMatchObject({
      ...{ result: false, reason: 'frequency', entries: 0, held_out_at: iso(T0) },
      detail: { mode: 'interval', last_at: iso(T0), held_out_at: iso(T0) },
      says: expect.stringContaining(`held out for comparison since ${iso(T0)} and have never entered`),
    });
  });

  test('names the filter that does not hold, with every filter explained', () => {
    const filters = { all: [{ event: 'Order Completed' }, { attribute: 'plan', operator: 'exists' }] };
    const shop = new Shop().journey('buyers', cart, { filters });
    shop.feed(happened({ name: 'Order Completed', id: 'o' }), watermark(0, T0));
    expect(shop.explained('journey', 'buyers')).toMatchObject({
      result: false,
      reason: 'filters_not_met',
      detail: { pointer: '/filters/all/1' },
      conditions: [
        { pointer: '/filters/all/0', result: true, events: ['o'] },
        { pointer: '/filters/all/1', result: false, value: null },
      ],
    });
  });

  test('one that is called as a member that every object has is a journey like others', () => {
    expect(['constructor', '__proto__'].map((id) => JourneyStates.none.stateOf(id))).toEqual([
      undefined,
      undefined,
    ]);
    const states = JourneyStates.of(Object.fromEntries([['__proto__', { ...newRun, entries: 3 }]]));
    expect(states.stateOf('__proto__')).toMatchObject({ entries: 3 });
  });

  test('says when a stall fires, and which run is meant by its key', () => {
    const stall = { ...cart, without: { event: 'Order Completed' }, for: 'PT10M' };
    const shop = new Shop().journey('stalled', stall, { key: 'cart_id' });
    shop.feed(happened({ id: 'm1', at: T0, properties: { cart_id: 'c1' } }), watermark(0, T0));
    expect(shop.explained('journey', 'stalled', { key: 'c1' })['stall']).toEqual({
      event: 'm1',
      fires_at: iso(T0 + 10 * MINUTE),
    });
    expect(shop.explained('journey', 'stalled', { key: 'c1' })['says']).toMatch(/a stall is under way/);
    const other = shop.explained('journey', 'stalled', { key: 'c2' });
    expect(other['stall']).toBeUndefined();
    expect(other['says']).toMatch(/: no Added to Cart waits for Order Completed$/);
    expect(shop.explained('journey', 'stalled', { key: 'c1', at: T0 + 10 * MINUTE })).toMatchObject({
      entries: 1,
      reason: 'frequency',
    });
  });

  test('one that does not run lets nobody in', () => {
    const shop = new Shop().journey('draft', cart, { state: 'draft' }).feed(identified({ id: 'i' }));
    expect(shop.explained('journey', 'draft')).toMatchObject({
      ...{ result: false, reason: 'not_running' },
      says: 'the journey does not run (draft), so nothing leads to an entry',
    });
  });

  test('a rehearsal asks one that does not run as if it did, and says its state', () => {
    const shop = new Shop().journey('draft', cart, { state: 'draft' }).feed(identified({ id: 'i' }));
    expect(shop.explained('journey', 'draft', { asIfRunning: true })).toMatchObject({
      ...{ result: true, state: 'draft' },
    });
  });
});

describe('how far the past of a rule is in', () => {
  test('is said of the version that is asked for, and never of one before', () => {
    const shop = new Shop().segment('s', { event: 'A' });
    expect(shop.past('s:s', 1)).toMatchObject({ state: 'open', since_version: 1 });
    shop.feed(happened({ id: 'm1' }));
    expect(shop.past('s:s', 2)).toEqual({ state: 'open', people: 0, of: 0, since_version: 2 });
  });
});

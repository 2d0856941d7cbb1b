/**
 * What is kept of a visitor is read and written whole, for each record and for each poll, which anybody may make: so it has a
 * bound, whatever is told. And whoever had very many visitors leaves none behind when they are deleted or merged.
 */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { of } from '../testing/processor-harness.ts';
import {
  claimed,
  decided,
  did,
  InAppRig,
  laneOf,
  modal,
  SECOND,
  T0,
  WORKSPACE,
} from '../testing/scenarios/in-app-rig.ts';
import { visitorBytesMax, type Visitor } from './decide/visitor.ts';
import { InAppProcessor } from './processor.ts';
import { lanesAtOnceMax } from './visitor-groups.ts';

let rig: InAppRig;
beforeEach(() => {
  rig = new InAppRig();
});
afterEach(() => rig.close());

const DAY_BYTES = 4;
const visitorsMax = 10_000;
/** Than any batch of the rig. */
const later = 10_000;
const stored = (): readonly Buffer[] =>
  rig.harness.stores.keyed.scan('v:', 'w:', visitorsMax).map(([, value]) => value.subarray(DAY_BYTES));
const visitors = (): readonly Visitor[] => {
  const { processor, stores } = rig.harness;
  if (!(processor instanceof InAppProcessor)) throw new Error('the rig has the service of in-app');
  return stores.keyed.scan('v:', 'w:', visitorsMax).map(([key]) => {
    const lane = key.slice('v:'.length);
    return processor.visitor(lane, lane.slice(`${WORKSPACE}:a:`.length));
  });
};
const largest = (): number => Math.max(...stored().map((bytes) => bytes.length));
const dropped = (): readonly string[] =>
  of('eventsDropped', rig.harness.outputs).map(({ value }) => `${value.reason} ${value.detail ?? ''}`);

describe('a visitor grows to a bound and no further', () => {
  /** Three bytes each, and no text that was there before: that would cost one or two. */
  const dear = (chars: number, mark = ''): string => `${mark}${'\u4e2d'.repeat(chars - mark.length)}`;

  test('by what they say of themselves and look at, and a row says what was left out', () => {
    const traits = Object.fromEntries(
      Array.from({ length: 50 }, (_, i) => [`a${String(i)}`, dear(500, String(i))]),
    );
    rig.feed(did({ at: T0, type: 'identify', name: null, properties: traits }));
    const fields = ['product_id', 'sku', 'variant_id', 'name', 'category', 'image_url', 'url'];
    for (let i = 0; i < 40; i += 1) {
      const item = Object.fromEntries(fields.map((field) => [field, dear(300, `${String(i)}${field}`)]));
      const at = T0 + i;
      rig.feed(did({ at, name: 'Product Viewed', properties: item }), did({ at, properties: item }));
      const other = Object.fromEntries(fields.map((field) => [field, dear(300, `${String(i)} ${field}`)]));
      rig.feed(did({ at, name: 'Product Added', properties: other }));
    }
    expect(largest()).toBeGreaterThan(visitorBytesMax / 2);
    expect(largest()).toBeLessThan(visitorBytesMax + 100);
    expect(dropped()).toContain('limit_exceeded {"what":"visitor"}');
    // Who they are goes on to be known, and what makes them smaller is taken.
    rig.feed(did({ at: T0 + SECOND, userId: 'ada', properties: { name: dear(300) } }));
    expect(visitors()).toMatchObject([{ isIdentified: true, lastAt: T0 + SECOND }]);
    rig.feed(did({ at: T0 + 2 * SECOND, name: 'Order Completed' }));
    expect(visitors()).toMatchObject([{ cart: [], orders: 1 }]);
  });

  test('by showings and what is reported of them, which need no key', async () => {
    rig.message('m', { frequency: { mode: 'always' }, content: { ...modal, kind: 'inline', element: '#m' } });
    for (let showing = 0; showing < 6; showing += 1) {
      const exposure = `${String(showing)}-${dear(100)}`;
      const { show } = await rig.show('m', T0 + showing, { exposure });
      for (let report = 0; show && report < 30; report += 1) {
        const action = `${String(report)} ${dear(1_900)}`;
        await rig.report('m', exposure, T0 + showing, { event: 'clicked', action });
      }
    }
    expect(largest()).toBeLessThan(visitorBytesMax + 100);
  });

  test('an id that no client makes is refused', async () => {
    rig.message('m');
    const answer = await rig.post(
      '/v1/in-app/shows',
      { anonymous_id: 'ann', message_id: 'm', exposure: 'e'.repeat(151) },
      T0,
    );
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ meta: { error: expect.stringContaining('150 bytes') } });
  });
});

describe('a person of very many visitors', () => {
  const count = 2 * lanesAtOnceMax + 7;
  const names = Array.from({ length: count }, (_, i) => `visitor-${String(i).padStart(6, '0')}`);
  const claim = (personId: string): void => {
    rig.feed(...names.map((who) => did({ who, at: T0, properties: { name: 'Boots' } })));
    rig.feed(...names.map((who) => claimed(who, personId, T0 + 1)));
  };
  const isErased = ({ cart, personId }: Visitor): boolean => cart.length === 0 && personId === null;
  /** Batches of nothing, as the shell makes them while the service wants one. */
  const settle = (): void => {
    rig.harness.idle(later);
  };

  test('leaves none behind when they are deleted', () => {
    claim('cio_1');
    rig.feed(decided({ kind: 'deleted', person_id: 'cio_1' }));
    expect(rig.harness.wantsBatch(later)).toBe(true);
    settle();
    expect(rig.harness.wantsBatch(later)).toBe(false);
    expect(visitors()).toHaveLength(count);
    expect(visitors().filter((visitor) => !isErased(visitor))).toEqual([]);
  });

  test('leaves none behind when the one they became is deleted while they are on their way', () => {
    claim('cio_1');
    rig.feed(
      decided({ kind: 'absorbed', person_id: 'cio_1', other_person_id: 'cio_2' }),
      decided({ kind: 'absorbed', person_id: 'cio_2', other_person_id: 'cio_3' }),
      decided({ kind: 'deleted', person_id: 'cio_3' }),
    );
    rig.feed();
    rig.harness.crash();
    settle();
    expect(visitors().filter((visitor) => !isErased(visitor))).toEqual([]);
  });

  test('takes all of them along into another', () => {
    claim('cio_1');
    rig.feed(decided({ kind: 'absorbed', person_id: 'cio_1', other_person_id: 'cio_2' }));
    settle();
    expect(new Set(visitors().map(({ personId }) => personId))).toEqual(new Set(['cio_2']));
    expect(rig.harness.stores.keyed.scan('p:', 'q', visitorsMax)).toHaveLength(count);
  });

  test('gives the named ones to another while they are on their way', () => {
    claim('cio_1');
    const last = names.at(-1) ?? '';
    const detail = JSON.stringify({ anonymous_ids: [last] });
    rig.feed(
      decided({ kind: 'absorbed', person_id: 'cio_1', other_person_id: 'cio_2' }),
      decided({ kind: 'split', person_id: 'cio_2', other_person_id: 'cio_3', detail }),
    );
    settle();
    expect(visitors().filter(({ personId }) => personId !== 'cio_2')).toMatchObject([
      { anonymousId: last, personId: 'cio_3' },
    ]);
  });

  test('gives the named ones to another, wherever they stand among the others', () => {
    claim('cio_1');
    const last = names.at(-1) ?? '';
    const detail = JSON.stringify({ anonymous_ids: [last] });
    rig.feed(decided({ kind: 'split', person_id: 'cio_1', other_person_id: 'cio_2', detail }));
    expect(visitors().filter(({ personId }) => personId === 'cio_2')).toMatchObject([{ anonymousId: last }]);
    expect(rig.harness.stores.keyed.scan(`p:${WORKSPACE}:cio_2:`, `p:${WORKSPACE}:cio_2;`, 10)).toMatchObject(
      [[`p:${WORKSPACE}:cio_2:${laneOf(last)}`, Buffer.alloc(0)]],
    );
  });
});

/**
 * A control call is seen by every lane where it stands among the calls: whoever sends one after the other, each
 * answered before the next is sent, finds what one after the other gives, however quickly they follow.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { abandonMs } from '../../schemas/control-markers.ts';
import type { Identifier } from '../../schemas/lanes.ts';
import { OrderWorld, type ControlCall, type OrderedCall } from '../testing/model/order-world.ts';
import { runs } from '../testing/runs.ts';

const RUNS = runs(60);
const id = (value: string): Identifier => ({ kind: 'id', value });
const mail = (value: string): Identifier => ({ kind: 'email', value });
const identify = (visitor: string | null, named: Identifier, email: string | null = null): OrderedCall => ({
  type: 'identify',
  visitor,
  named,
  email,
});
const track = (visitor: string | null, named: Identifier | null): OrderedCall => ({
  type: 'track',
  visitor,
  named,
});
const control = (type: 'delete' | 'suppress' | 'unsuppress', named: Identifier): ControlCall => ({
  type,
  named,
});
const merge = (named: Identifier, other: Identifier): ControlCall => ({ type: 'merge', named, other });

/** A lane that knows 42, then everything at once. */
function after(known: readonly OrderedCall[], ...calls: readonly OrderedCall[]): OrderWorld {
  const world = new OrderWorld();
  for (const call of known) {
    world.take(call);
    world.settle();
  }
  for (const call of calls) world.take(call);
  world.settle();
  return world;
}

describe('a control call and what follows it at once, in a lane that knows the person', () => {
  const known = [identify('v', id('42'))];

  test.each([
    ['an identify that says what the last one said', identify('v', id('42'))],
    ['a track that names them', track('v', id('42'))],
  ])('DELETE 42, then %s: a new person 42', (_, call) => {
    const world = after(known, control('delete', id('42')), call);
    expect(world.story()).toEqual(['1: nobody', '3: 42']);
    expect(world.dropped()).toEqual([]);
  });

  test('DELETE by an email that no lane of the partition has seen', () => {
    const tied = [...known, identify(null, id('42'), 'a@b.c')];
    const world = after(tied, control('delete', mail('a@b.c')), track('v', id('42')));
    expect(world.story()).toEqual(['1: nobody', '2: nobody', '4: 42']);
  });

  test('DELETE 42, then a page view of the linked browser: nobody’s, as the anonymous id is burned', () => {
    const world = after(known, control('delete', id('42')), track('v', null));
    expect(world.story()).toEqual(['1: nobody']);
  });

  test('a page view of the linked browser before the DELETE is still the person’s', () => {
    const world = after(known, track('v', null), control('delete', id('42')), track('v', null));
    expect(world.story()).toEqual(['1: nobody', '2: nobody']);
  });

  test('suppress, identify, unsuppress, identify: the first is dropped, the second makes a new person', () => {
    const world = after(
      known,
      control('suppress', id('42')),
      identify('v', id('42')),
      control('unsuppress', id('42')),
      identify('v', id('42')),
    );
    expect(world.dropped()).toEqual(['3: identifier_suppressed']);
    expect(world.story()).toEqual(['1: nobody', '5: 42']);
  });

  test.each(['a@b.c', 'd@e.f', 'g@h.i', 'j@k.l'])(
    'PUT 42 with %s, DELETE 42, PUT by the email, whose lane is ahead of all others',
    (email) => {
      const world = new OrderWorld();
      for (const call of [identify(null, id('42'), email), control('delete', id('42'))]) world.take(call);
      world.take(identify(null, mail(email)));
      world.hurry(`shop:e:${email}`);
      world.settle();
      expect(world.story()).toEqual(['1: nobody', `3: ${email}`]);
    },
  );

  test('PUT 1, PUT 2, merge, track 2: the identifier of the absorbed person names a new one', () => {
    const world = after(
      [identify('v', id('2'))],
      identify(null, id('1')),
      merge(id('1'), id('2')),
      track('v', id('2')),
    );
    expect(world.story()).toEqual(['1: 1', '2: 1', '4: 2']);
  });

  test('lanes without a control call before them ask for nothing', () => {
    const world = after([identify('v', id('42'))], track('v', id('42')), track('v', null));
    expect(['resolve', 'barrier', 'marker'].map((kind) => world.asked(kind))).toEqual([0, 0, 0]);
  });

  test('once the call is decided, lanes go by what they know again', () => {
    const world = after(known, control('delete', id('7')));
    for (const named of [id('42'), null]) world.take(track('v', named));
    world.settle();
    expect(world.story()).toEqual(['1: 42', '3: 42', '4: 42']);
    expect([world.asked('resolve'), world.asked('barrier')]).toEqual([0, 0]);
  });
});

describe('very many control calls, with events of others between them', () => {
  const several = Array.from({ length: 30 }, (_, each) => String(each + 1));

  test.each<[string, (each: string) => OrderedCall]>([
    ['tracks in one lane', () => track('v1', id('known-1'))],
    ['page views in one linked browser', () => track('v1', null)],
    ['identifies in one lane', (each) => identify('v1', id(`known-${each}`))],
    ['tracks of known people', (each) => track(`v${each}`, id(`known-${each}`))],
    ['page views in linked browsers', (each) => track(`v${each}`, null)],
    ['identifies that say nothing new', (each) => identify(`v${each}`, id(`known-${each}`))],
    ['tracks of people who are new', (each) => track(`w${each}`, id(`new-${each}`))],
    ['identifies of visitors', (each) => identify(`w${each}`, id(`new-${each}`))],
  ])('do not wait for one another by way of %s', (_, callBetween) => {
    const world = new OrderWorld();
    for (const each of several) world.take(identify(`v${each}`, id(`known-${each}`)));
    world.settle();
    for (const each of several) {
      world.take(control('delete', id(`gone-${each}`)));
      world.take(callBetween(each));
    }
    expect(world.turnsToRest()).toBeLessThan(8);
  });

  test('nor by way of page views behind an identify that has yet to be answered', () => {
    const world = new OrderWorld();
    world.take(identify('v', id('1')));
    for (const each of several) {
      world.take(control('delete', id(`gone-${each}`)));
      world.take(track('v', null));
    }
    expect(world.turnsToRest()).toBeLessThan(12);
    expect(world.story()).toHaveLength(31);
  });

  test('nor by way of a lane whose queue has yet to ask when the first of them comes', () => {
    const world = new OrderWorld();
    for (const each of several.slice(0, 3)) world.take(identify('v', id(each)));
    for (const each of several) {
      world.take(control('delete', id(`gone-${each}`)));
      world.take(identify('v', id(each)));
    }
    expect(world.turnsToRest()).toBeLessThan(12);
  });
});

describe('a marker whose call never comes', () => {
  test('changes nothing but that lanes ask, until the call is given up', () => {
    const world = after([identify('v', id('42'))]);
    world.takeInVain(control('delete', id('42')));
    world.take(track('v', id('42')));
    world.settle();
    expect(world.story()).toEqual(['1: 42', '2: 42']);
    expect(world.asked('resolve')).toBe(1);
    world.time += abandonMs + 1;
    for (const named of [id('42'), id('new')]) world.take(track('v', named));
    world.settle();
    const asked = world.asked('resolve');
    world.take(track('v', id('42')));
    world.settle();
    expect(world.asked('resolve')).toBe(asked);
  });

  test('and the call sent again does what it should', () => {
    const world = after([identify('v', id('42'))]);
    world.takeInVain(control('delete', id('42')));
    world.take(control('delete', id('42')));
    world.take(identify('v', id('42')));
    world.settle();
    expect(world.story()).toEqual(['1: nobody', '3: 42']);
  });
});

const person = fc.constantFrom('1', '2', '3');
const visitor = fc.constantFrom('u', 'v', 'w');
/** An email is tied to one id only, so calls of several lanes that no control call stands between need no order. */
const emailOf = (name: string): string => `${name}@b.c`;
const byEither = fc
  .tuple(person, fc.boolean())
  .map(([name, byEmail]) => (byEmail ? mail(emailOf(name)) : id(name)));
const someControl: fc.Arbitrary<ControlCall> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom('delete', 'suppress', 'unsuppress'), byEither)
      .map(([type, named]) => control(type, named)),
  },
  { weight: 1, arbitrary: fc.tuple(person, person).map(([a, b]) => merge(id(a), id(b))) },
);
const someEvent: fc.Arbitrary<OrderedCall> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(visitor, person, fc.boolean())
      .map(([v, name, tied]) => identify(v, id(name), tied ? emailOf(name) : null)),
  },
  { weight: 3, arbitrary: fc.tuple(fc.option(visitor), byEither).map(([v, named]) => track(v, named)) },
  { weight: 2, arbitrary: visitor.map((v) => track(v, null)) },
);
const someCall = fc.oneof({ weight: 2, arbitrary: someEvent }, { weight: 1, arbitrary: someControl });

/** Who is deleted takes along what was theirs; an event that comes late to it, and names nobody, is nobody's. */
const told = (world: OrderWorld): readonly string[] =>
  world.story().filter((line) => !line.endsWith(': nobody'));

describe('promise 3: interleavings with memory', () => {
  test('any calls, each answered before the next, end as if each had its whole effect before the next', () => {
    fc.assert(
      fc.property(
        fc.array(someCall, { minLength: 2, maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 150 }),
        (calls, choices) => {
          const world = new OrderWorld();
          const schedule = [...choices];
          for (const call of calls) {
            if (!('visitor' in call) && (schedule[1] ?? 0) % 4 === 0) world.takeInVain(call);
            world.take(call);
            for (const choice of schedule.splice(0, (schedule[0] ?? 0) % 12)) world.step(choice);
          }
          for (const choice of schedule) world.step(choice);
          world.settle();
          const want = after(calls);
          expect(told(world)).toEqual(told(want));
          expect(world.dropped()).toEqual(want.dropped());
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('control calls that several gateways take at once never wait for each other in a circle', () => {
    const atOnce = fc.array(someControl, { minLength: 2, maxLength: 3 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(someCall, fc.option(atOnce)), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 100 }),
        (calls, choices) => {
          const world = new OrderWorld();
          const schedule = [...choices];
          for (const [call, others] of calls) {
            world.take(call);
            if (others !== null) world.takeAtOnce(others);
            for (const choice of schedule.splice(0, (schedule[0] ?? 0) % 8)) world.step(choice);
          }
          world.settle(); // asserts that it comes to rest
          const open = world.lanes.map(
            ({ harness }) => harness.processor.status()['control_calls_undecided'],
          );
          expect(open).toEqual(world.lanes.map(() => 0));
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('a restart before any batch changes no byte of any partition', () => {
    fc.assert(
      fc.property(
        fc.array(someCall, { minLength: 2, maxLength: 10 }),
        fc.array(fc.nat(), { maxLength: 80 }),
        (calls, choices) => {
          const world = new OrderWorld();
          for (const call of calls) world.take(call);
          for (const choice of choices) world.step(choice);
          world.settle();
          for (const harness of [world.identity, ...world.lanes.map((lane) => lane.harness)]) {
            expect(harness.replay({ reopenEachBatch: true })).toEqual(harness.outputs);
          }
        },
      ),
      { numRuns: Math.ceil(RUNS / 5) },
    );
  });
});

/** An A and no B in the time after it: when the time is up, without an event, once (spec D.2, *stall rule*). */
import { describe, expect, test } from '@jest/globals';
import { of } from '../testing/processor-harness.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  SECOND,
  T0,
  Trigger,
  absorb,
  absorbed,
  happened,
  identified,
  lines,
  split,
  type Happened,
} from '../testing/scenarios/trigger-scenario.ts';
import { World } from '../testing/scenarios/trigger-world.ts';

const stall = { event: 'Checkout Started', without: { event: 'Order Completed' }, for: 'PT10M' };
const again = { frequency: { mode: 'every_rematch' } };
const started = (what: Happened) => happened({ ...what, name: 'Checkout Started' });
const ordered = (what: Happened) => happened({ ...what, name: 'Order Completed' });
const UP = T0 + 10 * MINUTE;

describe.each([
  [
    'a segment',
    (rest: object) => new Trigger().segment('stalled', { ...stall, ...rest }),
    'cio_a entered stalled',
  ],
  [
    'a journey',
    (rest: object) => new Trigger().journey('stalled', { ...stall, ...rest }, again),
    'cio_a starts stalled because of a1',
  ],
] as const)('a stall as the rule of %s', (_, make, told) => {
  test('says nothing at 9:59, and once at 10:00', () => {
    const trigger = make({});
    expect(trigger.then(started({ id: 'a1' }))).toEqual([]);
    expect(trigger.until(T0 + 9 * MINUTE + 59 * SECOND)).toEqual([]);
    expect(trigger.until(UP - 1)).toEqual([]);
    expect(trigger.until(UP)).toEqual([told]);
    expect(trigger.until(T0 + 30 * DAY)).toEqual([]);
    expect(trigger.harness.replay({ reopenEachBatch: true })).toEqual(trigger.harness.outputs);
  });

  test('says it at its moment, however much later it is seen', () => {
    const trigger = make({});
    trigger.then(started({ id: 'a1' }));
    expect(trigger.until(T0 + DAY)).toEqual([told]);
    const [segment] = of('segmentsChanged', trigger.harness.outputs);
    const [entry] = of('journeysEntered', trigger.harness.outputs);
    expect(segment?.value.at ?? entry?.value.entered_at).toBe(UP);
  });

  test('is answered by a B up to its end, also by one that is read late, and by none before the A', () => {
    for (const answer of [
      ordered({ at: T0 + MINUTE }),
      ordered({ at: UP }),
      ordered({ at: T0 + 9 * MINUTE, timestamp: T0 + 1 }),
    ]) {
      const trigger = make({});
      trigger.then(started({ id: 'a1' }));
      trigger.raw(answer); // before the watermark has passed the end, whenever it was received
      expect(trigger.until(T0 + 2 * DAY)).toEqual([]);
    }
    const trigger = make({});
    trigger.then(
      ordered({ at: T0 - 1 }),
      started({ id: 'a1' }),
      ordered({ at: T0 + 5 * MINUTE, timestamp: T0 }),
    );
    expect(trigger.until(UP)).toEqual([told]);
  });

  test('waits for what other lanes have received before its end, and holds back what came after', () => {
    const trigger = make({});
    trigger.then(started({ id: 'a1' }));
    expect(lines(trigger.raw(happened({ name: 'Other', at: T0 + HOUR })))).toEqual([]);
    expect(lines(trigger.raw(ordered({ at: UP - 1 })))).toEqual([]);
    expect(trigger.until(T0 + DAY)).toEqual([]);
  });

  test('begins anew with another A, or goes on where it says so', () => {
    const newest = told.replace('a1', 'a2');
    const anew = make({});
    expect(anew.then(started({ id: 'a1' }), started({ id: 'a2', at: T0 + 5 * MINUTE }))).toEqual([]);
    expect(anew.until(T0 + 15 * MINUTE - 1)).toEqual([]);
    expect(anew.until(T0 + 15 * MINUTE)).toEqual([newest]);
    const on = make({ rearm: 'ignore' });
    expect(on.then(started({ id: 'a1' }), started({ id: 'a2', at: T0 + 5 * MINUTE }))).toEqual([]);
    expect(on.until(UP)).toEqual([newest]);
    expect(on.until(T0 + DAY)).toEqual([]);
  });

  test('whose time was up when it was merged waits for the rest of the release', () => {
    const history = { mergedAt: T0, anonymousId: 'x', previouslyAnonymous: true };
    const bought = make({});
    expect(
      bought.then(
        started({ ...history, id: 'a1', at: T0 - 2 * HOUR }),
        ordered({ ...history, at: T0 - 2 * HOUR + MINUTE }),
        identified({ anonymousId: 'x', at: T0 }),
      ),
    ).toEqual([]);
    expect(bought.until(T0 + DAY)).toEqual([]);
    const left = make({});
    expect(
      left.then(
        started({ ...history, id: 'a1', at: T0 - 2 * HOUR }),
        identified({ anonymousId: 'x', at: T0 }),
      ),
    ).toEqual([]);
    expect(left.until(T0 + 1)).toEqual([told]);
    expect(left.until(T0 + DAY)).toEqual([]);
  });

  test('survives being killed at any time, and is told once', () => {
    const trigger = make({});
    trigger.then(started({ id: 'a1' }));
    trigger.harness.crash();
    trigger.harness.flush();
    trigger.then(happened({ name: 'Other', at: T0 + MINUTE }));
    trigger.harness.crash();
    expect(trigger.until(UP)).toEqual([told]);
    trigger.harness.crash();
    expect(trigger.until(T0 + DAY)).toEqual([]);
  });
});

describe('a journey that a stall triggers', () => {
  test('stays as it is when an answer comes after it has fired, and fires again for a later A', () => {
    const trigger = new Trigger().journey('stalled', stall, again);
    trigger.then(started({ id: 'a1' }));
    expect(trigger.until(UP)).toEqual(['cio_a starts stalled because of a1']);
    expect(trigger.then(ordered({ at: UP + MINUTE, timestamp: T0 + MINUTE }))).toEqual([]);
    expect(trigger.then(started({ id: 'late', at: UP + MINUTE, timestamp: T0 - 1 }))).toEqual([]);
    expect(trigger.until(T0 + HOUR)).toEqual([]);
    trigger.then(started({ id: 'a2', at: T0 + HOUR }));
    expect(trigger.until(T0 + HOUR + 10 * MINUTE)).toEqual(['cio_a starts stalled because of a2']);
  });

  test('sees what the identify behind a release says', () => {
    const trigger = new Trigger().journey('stalled', stall, {
      filters: { attribute: 'email', operator: 'exists' },
    });
    const history = { mergedAt: T0, anonymousId: 'x', previouslyAnonymous: true };
    trigger.then(
      started({ ...history, id: 'a1', at: T0 - HOUR }),
      identified({ anonymousId: 'x', at: T0, fields: { email: 'a@b.c' } }),
    );
    expect(trigger.until(T0 + MINUTE)).toEqual(['cio_a starts stalled because of a1']);
  });

  test('has one for each value of its key; an answer without one answers all', () => {
    const keyed = { ...again, key: 'cart_id' };
    const trigger = new Trigger().journey('stalled', stall, keyed);
    const cart = (id: string, cart_id: string, at = T0) => started({ id, at, properties: { cart_id } });
    trigger.then(cart('a1', 'one'), cart('a2', 'two', T0 + MINUTE));
    trigger.then(ordered({ at: T0 + 2 * MINUTE, properties: { cart_id: 'one' } }));
    expect(trigger.until(T0 + HOUR)).toEqual(['cio_a starts stalled because of a2']);
    expect(of('journeysEntered', trigger.harness.outputs)[0]?.value.key).toBe('two');
    trigger.then(
      cart('a3', 'three', T0 + HOUR),
      cart('a4', 'four', T0 + HOUR),
      ordered({ at: T0 + HOUR + 1 }),
    );
    expect(trigger.until(T0 + DAY)).toEqual([]);
  });

  test('has one for equal numbers, whichever way they are written, and for their digits', () => {
    const trigger = new Trigger().journey('stalled', stall, { key: 'cart_id' });
    for (const [index, cart] of ['9007199254740993', '9007199254740993.0', '"9007199254740993"'].entries()) {
      trigger.then(started({ at: T0 + index, fields: { properties: `{"cart_id":${cart}}` } }));
    }
    trigger.until(T0 + HOUR);
    expect(of('journeysEntered', trigger.harness.outputs).map(({ value }) => value.key)).toEqual([
      '9007199254740993',
    ]);
  });

  test('forgets what was armed when its trigger becomes another, and keeps it when its name does', () => {
    const trigger = new Trigger().journey('stalled', stall, again);
    trigger.then(started({ id: 'a1' }));
    trigger.journey('stalled', stall, { ...again, name: 'Renamed' });
    expect(trigger.until(UP)).toEqual(['cio_a starts stalled because of a1']);
    trigger.then(started({ id: 'a2', at: T0 + HOUR }));
    trigger.journey('stalled', { ...stall, for: 'PT20M' }, again);
    expect(trigger.until(T0 + DAY)).toEqual([]);
  });
});

describe('stalls of people who merge', () => {
  const define = (harness: World['partitions'][number]['harness']) =>
    harness
      .define('segment', 'default', 'stalled', { name: 'Stalled', type: 'data_driven', when: stall })
      .define('journey', 'default', 'nudge', { name: 'Nudge', state: 'running', trigger: stall, ...again });
  const merge = (at: number) => [absorbed('cio_b', 'cio_a', 7, at), absorb('cio_a', 'cio_b', 7, at)];

  test('fire once for the survivor, for the newest A of both', () => {
    const world = new World(define);
    world.write(
      started({ person: 'cio_b', id: 'b1' }),
      started({ person: 'cio_a', id: 'a1', at: T0 + MINUTE }),
      ...merge(T0 + 2 * MINUTE),
    );
    world.run();
    world.until(T0 + 11 * MINUTE - 1);
    expect(lines(world.run())).toEqual([]);
    world.until(T0 + DAY);
    expect(lines(world.run())).toEqual(['cio_a entered stalled', 'cio_a starts nudge because of a1']);
  });

  test('are answered by what the other does, before and after', () => {
    for (const at of [T0 + MINUTE, T0 + 5 * MINUTE]) {
      const world = new World(define);
      world.write(started({ person: 'cio_a', id: 'a1' }));
      const answer = ordered({ person: 'cio_b', at });
      const both = merge(T0 + 2 * MINUTE);
      world.write(...(at < T0 + 2 * MINUTE ? [answer, ...both] : [...both, answer]));
      world.run();
      world.until(T0 + DAY);
      expect(lines(world.run())).toEqual([]);
    }
  });

  test('fire for a survivor of whom nothing else changes', () => {
    const world = new World((harness) =>
      harness.define('journey', 'default', 'nudge', {
        ...{ name: 'Nudge', state: 'running', trigger: stall },
        ...again,
      }),
    );
    world.write(
      happened({ person: 'cio_a', name: 'Other' }),
      started({ person: 'cio_b', id: 'b1' }),
      ...merge(T0 + 2 * MINUTE),
    );
    world.run();
    world.until(T0 + DAY);
    expect(lines(world.run())).toEqual(['cio_a starts nudge because of b1']);
  });

  test('are forgotten with what was counted when something is split from the person', () => {
    const trigger = new Trigger().journey('nudge', stall, again).segment('stalled', stall);
    trigger.then(started({ id: 'a1' }));
    trigger.then(split('cio_a', 'cio_b', T0 + MINUTE, { asOf: 9, id: null, email: null }));
    expect(trigger.until(T0 + DAY)).toEqual([]);
  });
});

test('an A that came late into a stall that had fired is a part of it, also when a B comes later still', () => {
  const trigger = new Trigger().journey('nudge', { ...stall, rearm: 'ignore' }, again);
  trigger.then(started({ id: 'a1' }));
  expect(trigger.until(UP)).toEqual(['cio_a starts nudge because of a1']);
  trigger.then(started({ id: 'a2', at: UP + MINUTE, timestamp: T0 + 9 * MINUTE }));
  trigger.then(ordered({ at: UP + 2 * MINUTE, timestamp: T0 + MINUTE }));
  expect(trigger.until(T0 + DAY)).toEqual([]);
});

describe('time that was read while a record waited', () => {
  test('for a timer before it is not over for what waits behind it', () => {
    const trigger = new Trigger()
      .journey('nudge', stall, again)
      .segment('fresh', { event: 'Other', within: 'PT1M' });
    trigger.then(happened({ name: 'Other', at: T0 }));
    const at = T0 + 2 * MINUTE;
    trigger.raw(started({ id: 'a1', at }), ordered({ at: at + MINUTE })); // both wait for the end of the window
    expect(trigger.until(T0 + DAY)).toEqual(['cio_a left fresh']);
  });

  test('nor where more waits than a batch takes', () => {
    const trigger = new Trigger()
      .journey('nudge', stall, again)
      .segment('fresh', { event: 'Other', within: 'PT1M' });
    trigger.then(happened({ name: 'Other', at: T0 }));
    const at = T0 + 2 * MINUTE;
    const noise = Array.from({ length: 5_001 }, () => happened({ name: 'Noise', at }));
    trigger.raw(started({ id: 'a1', at }), ...noise, ordered({ at: at + MINUTE }));
    expect(trigger.until(T0 + DAY)).toEqual(['cio_a left fresh']);
    expect(trigger.until(T0 + 2 * DAY)).toEqual([]);
  });

  test('for the state of somebody who was merged is not over for what waits behind that', () => {
    for (const isArmedBefore of [true, false]) {
      const world = new World((harness) =>
        harness.define('journey', 'default', 'nudge', {
          name: 'Nudge',
          state: 'running',
          trigger: stall,
          ...again,
        }),
      );
      const a = (at: number) => started({ person: 'cio_a', id: 'a1', at });
      if (isArmedBefore) world.write(a(T0));
      world.write(absorb('cio_a', 'cio_b', 7, T0 + 1));
      if (!isArmedBefore) world.write(a(T0 + 2));
      world.write(ordered({ person: 'cio_a', at: T0 + MINUTE }));
      world.until(T0 + DAY);
      world.run();
      world.write(absorbed('cio_b', 'cio_a', 7, T0 + DAY));
      expect(lines(world.run())).toEqual([]);
      expect(world.unsettled).toBe(0);
      world.until(T0 + 2 * DAY);
      expect(lines(world.run())).toEqual([]);
    }
  });
});

describe('what answered the trigger of before an edit says nothing of another', () => {
  const running = { name: 'Nudge', state: 'running', ...again };
  const shared = { ...stall, without: { event: 'Cart Shared' } };

  test('of a late A', () => {
    const trigger = new Trigger().journey('nudge', stall, again);
    trigger.then(ordered({ at: T0 + MINUTE }));
    trigger.journey('nudge', shared, again);
    trigger.then(started({ id: 'a1', at: T0 + 2 * MINUTE, timestamp: T0 }));
    expect(trigger.until(T0 + DAY)).toEqual(['cio_a starts nudge because of a1']);
  });

  test('of an A that another brings', () => {
    const world = new World((harness) => {
      harness.define('journey', 'default', 'nudge', { ...running, trigger: stall });
    });
    world.write(ordered({ person: 'cio_b', at: T0 + MINUTE }));
    world.run();
    for (const { harness } of world.partitions) {
      harness.define('journey', 'default', 'nudge', { ...running, trigger: shared });
    }
    const at = T0 + 2 * MINUTE;
    world.write(started({ person: 'cio_a', id: 'a1', at, timestamp: T0 }));
    world.write(absorbed('cio_b', 'cio_a', 7, at), absorb('cio_a', 'cio_b', 7, at));
    world.run();
    world.until(T0 + DAY);
    expect(lines(world.run())).toEqual(['cio_a starts nudge because of a1']);
  });
});

describe('somebody who is in because nothing has stalled', () => {
  const member = () => {
    const trigger = new Trigger()
      .segment('well', { not: stall })
      .journey('gone', { segment: 'well', on: 'leave' });
    expect(trigger.then(happened({ id: 'x', name: 'Other', at: T0 - 1 }))).toEqual([
      'cio_a entered well because of x',
    ]);
    return trigger;
  };
  const release = { mergedAt: T0, anonymousId: 'x', previouslyAnonymous: true };
  const late = started({ ...release, id: 'a1', at: T0 - 2 * HOUR });

  test('stays while a release is read that has the answer, too', () => {
    const trigger = member();
    const answer = ordered({ ...release, at: T0 - 2 * HOUR + MINUTE });
    expect(trigger.then(late, answer, identified({ anonymousId: 'x', at: T0 }))).toEqual([]);
    expect(trigger.until(T0 + DAY)).toEqual([]);
  });

  test('leaves when all of it has been read, where it has none', () => {
    const trigger = member();
    expect(trigger.then(late, identified({ anonymousId: 'x', at: T0 }))).toEqual([]);
    expect(trigger.until(T0 + 1)).toEqual(['cio_a left well', 'cio_a starts gone']);
  });

  test('and whoever is in because something has, leaves by what answers it late, at once', () => {
    const trigger = new Trigger().segment('stalled', stall);
    trigger.then(started({ id: 'a1' }));
    expect(trigger.until(T0 + HOUR)).toEqual(['cio_a entered stalled']);
    expect(trigger.then(ordered({ id: 'b1', at: T0 + HOUR, timestamp: T0 + MINUTE }))).toEqual([
      'cio_a left stalled because of b1',
    ]);
  });
});

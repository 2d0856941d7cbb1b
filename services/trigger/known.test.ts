/** Conditions on identifiers go by what identity says and not by what an identify claims (spec A.1 PUT, C.3). */
import { describe, expect, test } from '@jest/globals';
import {
  absorb,
  absorbed,
  happened,
  identified,
  lines,
  T0,
  Trigger,
} from '../testing/scenarios/trigger-scenario.ts';
import { World } from '../testing/scenarios/trigger-world.ts';

const mail = { attribute: 'email', operator: 'exists' };
const isAnn = { attribute: 'email', operator: 'eq', value: 'ann@example.com' };
const ann = { id: '1', email: 'ann@example.com' };

describe('conditions on identifiers', () => {
  test('an email that identity refused is not the person’s', () => {
    const trigger = new Trigger().segment('mail', mail);
    const refused = identified({ fields: ann, known: { asOf: 2, id: '1', email: null } });
    expect(trigger.then(refused)).toEqual([]);
  });

  test('one that was set is not changed by a call that may not', () => {
    const trigger = new Trigger().segment('ann', isAnn).segment('other', { not: isAnn });
    trigger.feed(identified({ fields: ann, known: { asOf: 2, ...ann } }));
    const call = { id: '1', email: 'other@example.com' };
    expect(trigger.then(identified({ at: T0 + 1, fields: call, known: { asOf: 2, ...ann } }))).toEqual([]);
  });

  test('an identify that identity was not asked about repeats what is known', () => {
    const trigger = new Trigger().segment('ann', isAnn);
    trigger.feed(identified({ fields: ann, known: { asOf: 2, ...ann } }));
    const renamed = { asOf: 5, id: '1', email: 'new@example.com' };
    expect(trigger.then(identified({ id: 'r', at: T0 + 1, known: renamed }))).toEqual([
      'cio_a left ann because of r',
    ]);
    expect(trigger.then(identified({ at: T0 + 2, fields: ann }))).toEqual([]);
  });

  test('of two lanes out of step the later fact counts', () => {
    const trigger = new Trigger().segment('mail', mail);
    expect(trigger.then(identified({ id: 'i2', known: { asOf: 4, ...ann } }))).toEqual([
      'cio_a entered mail because of i2',
    ]);
    const earlier = { asOf: 2, id: '1', email: null };
    expect(trigger.then(identified({ at: T0 + 1, known: earlier }))).toEqual([]);
  });

  test('an event that creates its person gives them the identifier that it names', () => {
    const trigger = new Trigger().segment('mail', mail);
    const known = { asOf: 2, id: null, email: 'ann@example.com' };
    expect(trigger.then(happened({ id: 'm', known }))).toEqual(['cio_a entered mail because of m']);
    const later = { asOf: 3, id: '1', email: null };
    expect(trigger.then(happened({ id: 'n', at: T0 + 1, name: 'Unwatched', known: later }))).toEqual([
      'cio_a left mail because of n',
    ]);
  });

  test('history says nothing: the segment turns with the identify behind it (spec C.1 row 16)', () => {
    const trigger = new Trigger().segment('mail', mail);
    expect(
      trigger.then(
        happened({ previouslyAnonymous: true, anonymousId: 'x' }),
        identified({ id: 'i', anonymousId: 'x', known: { asOf: 3, ...ann } }),
      ),
    ).toEqual(['cio_a entered mail because of i']);
  });

  test('after a merge the survivor has what identity says, and what the absorbed person is still sent changes nothing', () => {
    const world = new World((harness) => {
      harness.define('segment', 'default', 'mail', { name: 'Mail', type: 'data_driven', when: mail });
    });
    world.write(identified({ person: 'cio_b', known: { asOf: 4, id: null, email: 'b@example.com' } }));
    world.run();
    world.write(
      absorbed('cio_b', 'cio_a', 7),
      absorb('cio_a', 'cio_b', 7, { at: T0, known: { asOf: 7, id: '1', email: 'b@example.com' } }),
    );
    expect(lines(world.run())).toContain('cio_a entered mail');
    world.write(identified({ person: 'cio_b', at: T0 + 1, known: { asOf: 6, id: null, email: null } }));
    expect(lines(world.run())).toEqual([]);
  });
});

/** Whoever writes a rule by hand is told what was most likely meant. */
import { expect, test } from '@jest/globals';
import { parseJourney, parseSegment } from './parse.ts';
import { segmentReferenceFaults } from './references.ts';

function told(when: unknown): readonly string[] {
  const parsed = parseSegment({ name: 'S', type: 'data_driven', when });
  return parsed.ok ? [] : parsed.faults.map(({ pointer, message }) => `${pointer}: ${message}`);
}
const asked = (operator: string) => ({ attribute: 'age', operator, value: 5 });

test('operators as others write them', () => {
  const meant = { equals: 'eq', '=': 'eq', '!=': 'neq', '>=': 'gte', '>': 'gt', '<=': 'lte', '<': 'lt' };
  for (const [written, operator] of Object.entries(meant)) {
    expect(told(asked(written))).toEqual([
      expect.stringMatching(new RegExp(`^/when/operator: must be one of .*; did you mean ${operator}\\?$`)),
    ]);
  }
  expect(told(asked('resembles'))).toEqual([expect.not.stringContaining('did you mean')]);
});

test('a misspelt key, with its place', () => {
  expect(told({ evnt: 'A' })).toEqual([
    expect.stringMatching(/^\/when\/evnt: "evnt" is not known here \(did you mean event\?\); known: all,/),
  ]);
  expect(told({ event: 'A', witin: 'P1D' })).toEqual([
    expect.stringMatching(/^\/when\/witin: .*did you mean within\?/),
  ]);
  expect(told({ colour: 'red' })).toEqual([expect.stringMatching(/^\/when: must have one of the keys/)]);
});

test('a key in another place than its own, with where it goes', () => {
  const cart = { event: 'A' };
  const goes = (when: unknown) => told(when).map((text) => text.replace(/; known: .*/, ''));
  const ofEvent = (key: string) =>
    `"${key}" is not known here: it belongs to the event that it is about: {"event": …, "${key}": …}`;
  expect(goes({ all: [cart], within: 'P7D' })).toEqual([`/when/within: ${ofEvent('within')}`]);
  expect(goes({ not: cart, count: { at_least: 2 } })).toEqual([`/when/count: ${ofEvent('count')}`]);
  expect(goes({ segment: 's', within: 'P7D' })).toEqual([`/when/within: ${ofEvent('within')}`]);
  expect(goes({ attribute: 'a', operator: 'exists', within: 'P7D' })).toHaveLength(1);
  expect(goes({ sequence: [{ ...cart, within: 'P7D' }, cart] })[0]).toMatch(/goes beside the sequence/);
  expect(goes({ ...cart, without: { ...cart, within: 'P1D' }, for: 'PT1H' })[0]).toMatch(/beside without/);
  expect(goes({ ...cart, where: [{ property: 'a', operator: 'exists', within: 'P1D' }] })[0]).toMatch(
    /goes beside where/,
  );
  expect(goes({ ...cart, age: 'required' })[0]).toMatch(/goes beside not/);
  expect(goes({ ...cart, count: { sum: 'total', at_least: 200 } })[0]).toMatch(
    /keep the result as an attribute/,
  );
});

test('a key of a journey in another place than its own', () => {
  const goes = (body: object) => {
    const parsed = parseJourney({ name: 'J', state: 'draft', trigger: { event: 'A' }, ...body });
    return parsed.ok ? [] : parsed.faults.map(({ pointer, message }) => `${pointer}: ${message}`);
  };
  expect(goes({ trigger: { event: 'A', within: 'P7D' } })).toEqual([
    expect.stringMatching(/^\/trigger\/within: "within" is not known here: .* under filters/),
  ]);
  expect(goes({ trigger: { segment: 's', on: 'entered', within: 'P7D' } })[0]).toMatch(/under filters/);
  expect(goes({ trigger: { sequence: [{ event: 'A' }, { event: 'B' }] } })[0]).toMatch(
    /identified: begin with a segment whose rule is that sequence/,
  );
  expect(goes({ trigger: { all: [{ event: 'A' }] } })[0]).toMatch(/under filters/);
  expect(goes({ when: { event: 'A' } })[0]).toMatch(/a journey has a trigger and filters/);
  expect(goes({ within: 'P7D' })[0]).toMatch(/belongs under filters/);
  expect(goes({ every: 'P7D' })[0]).toMatch(/belongs under frequency/);
  expect(goes({ filters: { segment: 's', on: 'entered' } })[0]).toMatch(
    /belongs to the trigger of a journey/,
  );
  const segment = parseSegment({
    name: 'S',
    type: 'data_driven',
    when: { event: 'A' },
    within: 'P7D',
    key: 'a',
  });
  expect(segment.ok ? [] : segment.faults.map(({ message }) => message)).toEqual([
    expect.stringContaining('"within" is not known here: it belongs under when'),
    expect.stringContaining('"key" is not known here: it belongs to a journey'),
  ]);
});

test('durations that have no fixed length, and those that are written otherwise', () => {
  const within = (duration: unknown) => told({ event: 'A', within: duration })[0];
  expect(within('P1M')).toBe(
    '/when/within: years and months are not a fixed time: say P30D, or PT1M for minutes',
  );
  expect(within('P1Y')).toBe('/when/within: years and months are not a fixed time: say P365D');
  expect(within('p30d')).toMatch(/say P30D$/);
  expect(within('P2H')).toMatch(/say PT2H$/);
  expect(within('30 days')).toMatch(/such as PT10M, PT4H or P30D$/);
});

test('a segment that is not there, with the nearest that is', () => {
  const vips = { type: 'manual', name: 'VIPs', description: null } as const;
  const known = { segment: () => undefined, ids: () => ['vips', 'buyers'], users: () => [] };
  const messageOf = (segmentId: string) => {
    const when = { type: 'segment', pointer: '/when', segmentId } as const;
    const segment = { ...vips, type: 'data_driven', when } as const;
    return segmentReferenceFaults('s', segment, known)[0]?.message;
  };
  expect(messageOf('buyer')).toBe('there is no segment buyer: did you mean buyers?');
  expect(messageOf('elsewhere')).toBe('there is no segment elsewhere: define it first');
});

test('a trigger whose key is misspelt', () => {
  const parsed = parseJourney({ name: 'J', state: 'draft', trigger: { evnt: 'A' } });
  expect(parsed.ok ? [] : parsed.faults.map(({ message }) => message).join()).toContain(
    'did you mean event?',
  );
});

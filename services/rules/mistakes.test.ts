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

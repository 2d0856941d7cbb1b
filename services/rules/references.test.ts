import { describe, expect, test } from '@jest/globals';
import type { Segment } from './condition.ts';
import { referencedConditionsMax } from './limits.ts';
import { parseJourney, parseSegment } from './parse.ts';
import { journeyReferenceFaults, segmentReferenceFaults } from './references.ts';

function segment(when: unknown): Segment {
  const parsed = parseSegment({ name: 'x', type: 'data_driven', when });
  if (!parsed.ok) throw new Error('the rule is good');
  return parsed.value;
}
const of = (id: string) => ({ segment: id });

function knownOf(segments: Readonly<Record<string, unknown>>) {
  const all = new Map(Object.entries(segments).map(([id, when]) => [id, segment(when)]));
  all.set('manual', { type: 'manual', name: 'm', description: null });
  return { segment: (id: string) => all.get(id) };
}

function faults(id: string, when: unknown, segments: Readonly<Record<string, unknown>> = {}): string[] {
  return segmentReferenceFaults(id, segment(when), knownOf(segments)).map(
    ({ pointer, code, message }) => `${pointer} ${code}: ${message}`,
  );
}

describe('the segments that a definition refers to', () => {
  test('must be there', () => {
    const when = { all: [of('manual'), { not: of('a') }, of('nowhere')] };
    expect(faults('s', when, { a: { event: 'A' } })).toEqual([
      '/when/all/2/segment unknown_segment: there is no segment nowhere: define it first',
    ]);
  });

  test('do not lead back', () => {
    expect(faults('s', { any: [{ event: 'A' }, of('s')] })).toEqual([
      '/when/any/1/segment circular: a segment cannot go by itself: s → s',
    ]);
    const others = { a: { not: of('b') }, b: { all: [of('c'), of('manual')] }, c: of('s') };
    expect(faults('s', of('a'), { ...others, s: { event: 'A' } })).toEqual([
      '/when/segment circular: a segment cannot go by itself: s → a → b → c → s',
    ]);
    expect(faults('other', of('a'), { ...others, s: { event: 'A' } })).toEqual([]);
  });

  test('may be in a circle of their own, stored before circles were refused', () => {
    expect(faults('s', { all: [of('a'), of('a')] }, { a: of('b'), b: of('a') })).toEqual([]);
  });

  test('are bounded together, and looked at once each', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 60 }, (_, n) => [
        `s${String(n)}`,
        n === 0 ? { event: 'A' } : { all: [of(`s${String(n - 1)}`), of(`s${String(n - 1)}`)] },
      ]),
    );
    expect(faults('s', of('s3'), chain)).toEqual([]);
    expect(faults('s', of('s59'), chain)).toEqual([
      expect.stringMatching(
        `^/when/segment too_many: .* at most ${String(referencedConditionsMax)} conditions`,
      ),
    ]);
  });

  test('of a journey are those of its trigger and its filters', () => {
    const parsed = parseJourney({
      name: 'j',
      state: 'draft',
      trigger: { segment: 'a', on: 'enter' },
      filters: { not: of('b') },
    });
    if (!parsed.ok) throw new Error('the journey is good');
    const found = journeyReferenceFaults(parsed.value, knownOf({}));
    expect(found.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([
      '/trigger/segment unknown_segment',
      '/filters/not/segment unknown_segment',
    ]);
    expect(journeyReferenceFaults(parsed.value, knownOf({ a: { event: 'A' }, b: { event: 'B' } }))).toEqual(
      [],
    );
  });
});

import { describe, expect, test } from '@jest/globals';
import type { Segment } from './condition.ts';
import { referencedConditionsMax } from './limits.ts';
import { parseJourney, parseSegment } from './parse.ts';
import { journeyReferenceFaults, segmentReferenceFaults, segmentReferences } from './references.ts';

function segment(when: unknown): Segment {
  const parsed = parseSegment({ name: 'x', type: 'data_driven', when });
  if (!parsed.ok) throw new Error('the rule is good');
  return parsed.value;
}
const of = (id: string) => ({ segment: id });

function knownOf(segments: Readonly<Record<string, unknown>>) {
  const all = new Map(Object.entries(segments).map(([id, when]) => [id, segment(when)]));
  all.set('manual', { type: 'manual', name: 'm', description: null });
  const users = () =>
    [...all].map(([id, one]) => ({ name: `segment ${id}`, references: segmentReferences(one) }));
  return { segment: (id: string) => all.get(id), ids: () => [...all.keys()], users };
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

  test('are bounded for what refers to the one that changes, too, however the chain is made', () => {
    const double = (id: string) => ({ all: [of(id), of(id)] });
    const chain: Record<string, unknown> = { s0: { event: 'A' } };
    const refused: string[] = [];
    for (let link = 0; link < 40; link += 1) {
      const next = `s${String(link + 1)}`;
      chain[next] = { event: 'A' };
      const found = faults(`s${String(link)}`, double(next), chain);
      refused.push(...found);
      if (found.length === 0) chain[`s${String(link)}`] = double(next);
    }
    expect(refused[0]).toMatch(
      /^\/when too_many: segment s0 refers to this segment, .* would have \d+ conditions/,
    );
    // A smaller one is taken whatever it was, also where what refers to it is over the bound.
    const old = Object.fromEntries(
      Array.from({ length: 60 }, (_, n) => [
        `s${String(n)}`,
        n === 59 ? of('manual') : double(`s${String(n + 1)}`),
      ]),
    );
    expect(faults('s58', of('s59'), old)).toEqual([]);
    expect(faults('s58', { all: [of('s59'), of('s59'), of('s59')] }, old)).toEqual([
      expect.stringContaining('/when too_many: segment s0 refers to this segment'),
    ]);
    expect(faults('other', double('s58'), old)).toEqual([]);
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

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { localCodecs } from '../../schemas/codec.ts';
import { personId, START, TriggerPartition } from '../trigger/trigger-processor.ts';
import { watchedNames, watchingSegments } from '../trigger/watching-segments.ts';
import { changesOf, ExpectedChanges } from './expected-changes.ts';
import { expectedLine, judge, lineOf, placeOf } from './given-changes.ts';
import { shopEvents } from './shop-events.ts';
import { endOf, eventOf, personKeyOf } from './shop-topics.ts';

const twiceInTen = { atLeast: 2, withinMs: 10 };
const happened = (number: number, cameAt: number, at = cameAt) => ({ number, cameAt, at });

describe('who has to be in a segment', () => {
  test('enters with the second event and leaves when the first is as old as the window', () => {
    expect(changesOf([happened(0, 1), happened(1, 4)], twiceInTen, 100)).toEqual([
      { change: 'entered', at: 4, event: 1 },
      { change: 'left', at: 11, event: null },
    ]);
  });
  test('stays while another event takes the place of one that is over', () => {
    const three = [happened(0, 1), happened(1, 4), happened(2, 9)];
    expect(changesOf(three, twiceInTen, 100).at(-1)).toEqual({ change: 'left', at: 14, event: null });
  });
  test('goes by when an event happened, however late it comes', () => {
    expect(changesOf([happened(0, 4), happened(1, 8, 2)], twiceInTen, 100)).toEqual([
      { change: 'entered', at: 8, event: 1 },
      { change: 'left', at: 12, event: null },
    ]);
    expect(changesOf([happened(0, 12), happened(1, 13, 2)], twiceInTen, 100)).toEqual([]);
  });
  test('is not told of what comes after the end', () => {
    expect(changesOf([happened(0, 1), happened(1, 4)], twiceInTen, 10)).toHaveLength(1);
  });
});

const watching = { segments: 20, mention: 2 };
const segments = watchingSegments(watching);
const shop = { events: 4_000, people: 40, named: 2, names: watchedNames(watching) };

function expectedOf(): ExpectedChanges {
  const expected = new ExpectedChanges(segments);
  for (const event of shopEvents(shop)) expected.take(event);
  return expected;
}

function allLines(): Map<string, string[]> {
  const lines = new Map<string, string[]>();
  for (const { person, segmentId, changes } of expectedOf().changes(endOf(shop))) {
    lines.set(
      placeOf(personKeyOf(person), segmentId),
      changes.map((change) => expectedLine(person, change)),
    );
  }
  return lines;
}

describe('the checker', () => {
  const until = endOf(shop);
  const verdictWith = (change: (lines: Map<string, string[]>) => void) => {
    const lines = allLines();
    change(lines);
    return judge(lines, expectedOf(), until);
  };
  const first = (lines: Map<string, string[]>): string[] => [...lines.values()][0] ?? [];

  test('passes what has to be there', () => {
    expect(verdictWith(() => undefined).passed).toBe(true);
  });
  test('sees what is missing, doubled, wrong, of a stranger and out of order', () => {
    const faults = [
      (lines: Map<string, string[]>) => first(lines).pop(),
      (lines: Map<string, string[]>) => first(lines).push(first(lines)[0] ?? ''),
      (lines: Map<string, string[]>) => (first(lines)[0] = `${first(lines)[0] ?? ''}!`),
      (lines: Map<string, string[]>) => lines.set('a stranger', ['entered']),
      (lines: Map<string, string[]>) => first(lines).reverse(),
    ];
    expect(faults.map((fault) => verdictWith(fault).line.slice(0, 10))).toEqual(
      faults.map(() => 'CHECK FAIL'),
    );
  });
});

describe('the trigger', () => {
  test('gives what has to be there, on its real store', () => {
    const codecs = localCodecs();
    const lines = new Map<string, string[]>();
    const emit = (topic: string, key: Uint8Array | string, value: Uint8Array): void => {
      if (topic !== 'segmentsChanged') return;
      const change = codecs.SegmentChange.decode(Buffer.from(value));
      const personKey = Buffer.from(key).toString();
      const place = placeOf(personKey, change.segment_id);
      lines.set(place, [...(lines.get(place) ?? []), lineOf(personKey, change)]);
    };
    const folder = mkdtempSync(join(tmpdir(), 'hindsight-segment-'));
    const trigger = new TriggerPartition({ folder, out: { emit, emitTo: () => undefined } });
    try {
      for (const { id, body } of segments) trigger.define('segment', id, body);
      let batch = [];
      for (const event of shopEvents(shop)) {
        batch.push(trigger.event(personId(event.person), eventOf(event)));
        if (batch.length < 100) continue;
        trigger.batch(START, [...batch, ...trigger.watermarks(event.mergedAt)]);
        batch = [];
      }
      trigger.batch(START, [...batch, ...trigger.watermarks(endOf(shop))]);
      while (trigger.processor.wantsBatch(START, trigger.definitions)) trigger.batch(START, []);
      const { passed, line } = judge(lines, expectedOf(), endOf(shop));
      expect(line).toMatch(/^CHECK PASS expected \d{3}/);
      expect(passed).toBe(true);
    } finally {
      trigger.close();
      rmSync(folder, { recursive: true });
    }
  });
});

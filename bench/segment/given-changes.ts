/** The checker: what an application wrote on segments.changed, against what has to be there. */
import type { Codecs } from '../../schemas/codec.ts';
import type { SegmentChange } from '../../schemas/records.ts';
import { openLog } from '../../services/runtime/log/open-log.ts';
import { WORKSPACE } from '../trigger/trigger-processor.ts';
import type { Change, ExpectedChanges } from './expected-changes.ts';
import { messageIdOf, personKeyOf, RULE_VERSION } from './shop-topics.ts';

const TOPIC = 'segmentsChanged';
const TAKE_BYTES = 4 << 20;
const READER = { bufferBytesMax: 16 << 20, fetchBytesMax: 4 << 20, waitMsMax: 100 };

export interface Verdict {
  readonly passed: boolean;
  readonly line: string;
  /** Some of what is missing and what is there instead. */
  readonly examples: readonly string[];
}

const examplesMax = 5;

/** By person and segment: each change in a line, in the order of the log. */
export type Given = ReadonlyMap<string, readonly string[]>;

export interface GivenFrom {
  readonly brokers: string;
  readonly codecs: Codecs;
  readonly prefix: string;
}

/** Everything that is committed. */
export async function readGiven({ brokers, codecs, prefix }: GivenFrom): Promise<Given> {
  const log = await openLog({ brokers: brokers.split(','), clientId: 'bench-check', prefix });
  const reader = log.reader(READER);
  try {
    const given = new Map<string, string[]>();
    const ends = await log.admin.endOffsets(TOPIC);
    const next = ends.map(() => 0);
    await reader.start(ends.map((_, partition) => ({ topic: TOPIC, partition, offset: 0 })));
    while (next.some((offset, partition) => offset < (ends[partition] ?? 0))) {
      await reader.wait(READER.waitMsMax);
      for (const slice of reader.take(TAKE_BYTES)) {
        slice.forEach(({ bytes, keyStart, keyEnd, valueStart, valueEnd }) => {
          const change = codecs.SegmentChange.decode(bytes, valueStart, valueEnd);
          const key = bytes.toString('utf8', keyStart, keyEnd);
          const own = placeOf(key, change.segment_id);
          const lines = given.get(own) ?? [];
          lines.push(lineOf(key, change));
          given.set(own, lines);
        });
        next[slice.partition] = slice.next;
        slice.release();
      }
    }
    return given;
  } finally {
    await reader.close();
    await log.close();
  }
}

/** @param until ms; what changes by then has to be there, and nothing else. */
export function judge(given: Given, expected: ExpectedChanges, until: number): Verdict {
  const counts = { expected: 0, given: 0, missing: 0, doubled: 0, unexpected: 0, misordered: 0 };
  for (const lines of given.values()) counts.given += lines.length;
  const examples: string[] = [];
  let seen = 0;
  for (const { person, segmentId, changes } of expected.changes(until)) {
    const has = given.get(placeOf(personKeyOf(person), segmentId)) ?? [];
    const wants = changes.map((change) => expectedLine(person, change));
    counts.expected += wants.length;
    seen += has.length;
    const [unique, wanted] = [new Set(has), new Set(wants)];
    counts.doubled += has.length - unique.size;
    counts.missing += wants.filter((line) => !unique.has(line)).length;
    const unexpected = [...unique].filter((line) => !wanted.has(line)).length;
    counts.unexpected += unexpected;
    const isOther = wants.join() !== has.join();
    if (isOther && examples.length < examplesMax) examples.push(`${wants.join()} is ${has.join()}`);
    if (
      unexpected === 0 &&
      unique.size === wants.length &&
      wants.some((line, at) => line !== [...unique][at])
    )
      counts.misordered += 1;
  }
  counts.unexpected += counts.given - seen; // of somebody who has no change there
  const { missing, doubled, unexpected, misordered } = counts;
  const passed = missing + doubled + unexpected + misordered === 0 && counts.given === counts.expected;
  const told = Object.entries(counts).map(([what, count]) => `${what} ${String(count)}`);
  return { passed, examples, line: `CHECK ${passed ? 'PASS' : 'FAIL'} ${told.join(', ')}` };
}

export function placeOf(personKey: string, segmentId: string): string {
  return `${personKey} ${segmentId}`;
}

/** All that is said of it: whose it is, what, when and why. */
export function lineOf(key: string, change: SegmentChange): string {
  const { workspace, person_id: personId, at, cause, cause_message_id: messageId } = change;
  const whose = [key, workspace, personId];
  return JSON.stringify([...whose, change.change, at, cause, messageId, change.rule_version]);
}

export function expectedLine(person: number, { change, at, event }: Change): string {
  const key = personKeyOf(person);
  const cause = event === null ? 'time' : 'call';
  const messageId = event === null ? null : messageIdOf(event);
  const whose = [key, WORKSPACE, key.slice(WORKSPACE.length + 1)];
  return JSON.stringify([...whose, change, at, cause, messageId, RULE_VERSION]);
}

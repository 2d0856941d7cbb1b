/**
 * What the shop's segments and journeys must have come to, from all that lies on the topics at the end: every trigger has
 * one outcome, timers have fired once and at their time, and memberships are those of the rule. Each fault is a sentence.
 */
import type { JourneyEntry, JourneySkip, SegmentChange } from '../../../schemas/records.ts';
import { stallMs } from './rules.ts';
import { isTooOld, type Evidence, type MergedRow } from './evidence.ts';
import { checkoutName, orderName, workspace } from './workload.ts';

export interface RulesEvidence extends Evidence {
  readonly events: readonly MergedRow[];
  readonly survivorOf: (person: string) => string;
}

export function ruleFaults(evidence: RulesEvidence): string[] {
  const told = outcomesOf(evidence);
  const changes = changesOf(evidence);
  return [
    ...triggeredFaults(evidence, told),
    ...welcomeFaults(evidence, told, changes),
    ...stallFaults(evidence, told),
    ...turnFaults(evidence, changes),
    ...planFaults(evidence, changes),
  ];
}

interface Outcome {
  readonly journey: string;
  readonly person: string;
  readonly trigger: string | null;
  /** null: entered. */
  readonly reason: string | null;
  readonly at: number;
}

function outcomesOf({ broker, codecs }: Evidence): Outcome[] {
  const entered = broker
    .everCommitted('journeysEntered')
    .map(({ record }) => codecs.JourneyEntry.decode(record.value ?? Buffer.alloc(0)))
    .map((entry) => outcome(entry, entry.entered_at, null));
  const skipped = broker
    .everCommitted('journeysSkipped')
    .map(({ record }) => codecs.JourneySkip.decode(record.value ?? Buffer.alloc(0)))
    .map((skip) => outcome(skip, skip.at, skip.reason));
  return [...entered, ...skipped].filter((one) => one !== undefined);
}

function outcome(of: JourneyEntry | JourneySkip, at: number, reason: string | null): Outcome | undefined {
  if (of.workspace !== workspace) return undefined;
  return { journey: of.journey_id, person: of.person_id, trigger: of.trigger_message_id, reason, at };
}

/** In the order in which they were written. */
function changesOf({ broker, codecs }: Evidence): SegmentChange[] {
  return broker
    .everCommitted('segmentsChanged')
    .sort((a, b) => a.record.order - b.record.order)
    .map(({ record }) => codecs.SegmentChange.decode(record.value ?? Buffer.alloc(0)))
    .filter((change) => change.workspace === workspace);
}

/** Entered and skipped add up to triggered; by the 72-hour rule (spec C.1 rows 11 and 12). */
function triggeredFaults({ isWhole, events }: RulesEvidence, told: readonly Outcome[]): string[] {
  const faults: string[] = [];
  for (const journey of ['thanks', 'each']) {
    const own = grouped(told, (one) => (one.journey === journey ? one.trigger : null));
    for (const { record } of events) {
      const { event } = record;
      if (event?.name !== orderName) continue;
      const outcomes = own.get(event.message_id) ?? [];
      own.delete(event.message_id);
      const what = `${journey}: ${event.message_id} has ${String(outcomes.length)} outcomes`;
      if (outcomes.length > 1 || (outcomes.length < 1 && isWhole)) faults.push(what);
      // Of somebody who was merged away before their identify came it is the other's past.
      const may = journey === 'each' ? [null, 'inherited'] : [null, 'inherited', 'frequency'];
      const wrong = outcomes.filter(({ reason }) =>
        isTooOld(record) ? reason !== 'too_old' : !may.includes(reason),
      );
      faults.push(...wrong.map(({ reason }) => `${journey}: ${event.message_id} was ${reason ?? 'let in'}`));
    }
    for (const id of own.keys()) faults.push(`${journey}: ${id} was no trigger`);
  }
  return faults;
}

/** A journey that begins with a segment has an outcome for each time that somebody entered it. */
function welcomeFaults(
  { isWhole }: RulesEvidence,
  told: readonly Outcome[],
  changes: readonly SegmentChange[],
): string[] {
  const entered = changes.filter(({ segment_id: id, change }) => id === 'ordered' && change === 'entered');
  const expected = grouped(entered, ({ person_id: person }) => person);
  const found = grouped(told, (one) => (one.journey === 'welcome' ? one.person : null));
  return [...new Set([...expected.keys(), ...found.keys()])].flatMap((person) => {
    const [times, outcomes] = [expected.get(person)?.length ?? 0, found.get(person)?.length ?? 0];
    const isFault = outcomes > times || (outcomes < times && isWhole);
    if (!isFault) return [];
    return [
      `welcome: ${person} entered the segment ${String(times)} times and has ${String(outcomes)} outcomes`,
    ];
  });
}

interface Done {
  readonly id: string;
  readonly isCheckout: boolean;
  readonly time: number;
  readonly mergedAt: number;
  readonly isTooOld: boolean;
}

/** What is merged within so many ms of when a stall fires may be known by then or not. */
const nearMs = 1_000;

/** Each checkout that neither an order nor another checkout came for in its time has one outcome, and no other has any. */
function stallFaults(
  { events, isWhole, isSteady, survivorOf }: RulesEvidence,
  told: readonly Outcome[],
): string[] {
  const times = grouped(
    told.filter(({ journey }) => journey === 'stalled'),
    ({ trigger }) => trigger,
  );
  const faults: string[] = [];
  for (const [person, rows] of grouped(events, ({ record }) => survivorOf(record.person_id))) {
    const done = rows.flatMap(doneOf);
    const isMerged = rows.some(({ record }) => record.person_id !== person);
    for (const checkout of done.filter(({ isCheckout }) => isCheckout)) {
      const { id, time, mergedAt } = checkout;
      const { length: count } = times.get(id) ?? [];
      times.delete(id);
      if (count > 1) faults.push(`stalled: ${id} has ${String(count)} outcomes`);
      const endings = checkout.isTooOld ? [] : done.filter((other) => ends(other, checkout));
      // Of somebody who was merged: by then, by whom it was known is chance.
      const firesAt = Math.max(time + stallMs, mergedAt);
      const known = isMerged || !isSteady ? [] : endings.filter((other) => other.mergedAt <= firesAt);
      const near = endings.filter((other) => isMerged || !isSteady || other.mergedAt <= firesAt + nearMs);
      if (count > 0 && known.length > 0) faults.push(`stalled: ${id} of ${person} is told, and was over`);
      if (count < 1 && near.length === 0 && isWhole) faults.push(`stalled: ${id} of ${person} is not told`);
    }
  }
  for (const id of times.keys()) faults.push(`stalled: ${id} was no trigger`);
  return faults;
}

function doneOf({ record }: MergedRow): Done[] {
  const { event, merged_at: mergedAt } = record;
  if (event?.name !== checkoutName && event?.name !== orderName) return [];
  const { message_id: id, timestamp: time, name } = event;
  return [{ id, isCheckout: name === checkoutName, time, mergedAt, isTooOld: isTooOld(record) }];
}

/** An order answers it, or another checkout begins a stall in its place. At one time an order comes first. */
function ends(other: Done, { id, time }: Done): boolean {
  if (other.time > time + stallMs || (other.isCheckout && other.isTooOld)) return false;
  return other.time > time || (other.isCheckout && other.time === time && other.id > id);
}

/** Nobody enters twice or leaves twice; what time ends has ended. */
function turnFaults({ isWhole }: RulesEvidence, changes: readonly SegmentChange[]): string[] {
  const last = new Map<string, string>();
  const faults: string[] = [];
  for (const { segment_id: segment, person_id: person, change } of changes) {
    const key = `${segment}: ${person}`;
    if ((last.get(key) ?? 'left') === change) faults.push(`${key} ${change} twice`);
    last.set(key, change);
  }
  for (const [key, change] of last) {
    if (isWhole && key.startsWith('lately: ') && change === 'entered') faults.push(`${key} has not left`);
  }
  return faults;
}

/** By the last identify of somebody who was merged with nobody. */
function planFaults(
  { events, isWhole, survivorOf }: RulesEvidence,
  changes: readonly SegmentChange[],
): string[] {
  const lastOf = (person: string) =>
    changes.findLast(({ segment_id: id, person_id }) => id === 'pro' && person_id === person)?.change ??
    'left';
  const people = grouped(events, ({ record }) => survivorOf(record.person_id));
  return [...people].flatMap(([person, rows]) => {
    if (rows.some(({ record }) => record.person_id !== person)) return [];
    const identifies = rows
      .flatMap(({ record: { event } }) => (event?.type === 'identify' ? [event] : []))
      .sort((a, b) => a.received_at - b.received_at || (a.message_id < b.message_id ? -1 : 1));
    const expected = identifies.at(-1)?.properties?.includes('"pro"') === true ? 'entered' : 'left';
    const found = lastOf(person);
    return found === expected || !isWhole ? [] : [`pro: ${person} has ${found}, not ${expected}`];
  });
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string | null): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

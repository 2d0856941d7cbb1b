/** The promises, asked of everything that lies on the topics at the end of a run. Each fault is a sentence. */
import { isTooOld, type Evidence, type MergedRow } from './evidence.ts';
import { ruleFaults } from './rules-verdict.ts';
import { expectedRows, placeOf } from './stored-rows.ts';
import { orderName, workspace } from './workload.ts';

export function faultsOf(evidence: Evidence): string[] {
  const merged = mergedRows(evidence);
  const events = merged.filter(({ record }) => record.kind === 'event');
  const survivorOf = survivors(merged);
  return [
    ...onceFaults(evidence, events),
    ...(evidence.isWhole ? personFaults(evidence, events, survivorOf) : []),
    ...orderFaults(evidence, events),
    ...repeatFaults(evidence),
    ...segmentFaults(evidence, events, survivorOf),
    ...ruleFaults({ ...evidence, events, survivorOf }),
    ...journalFaults(evidence),
    ...sinkFaults(evidence),
  ];
}

function mergedRows({ broker, codecs }: Evidence): MergedRow[] {
  return broker
    .everCommitted('eventsMerged')
    .map(({ partition, record: { offset, value } }) => ({
      partition,
      offset,
      record: codecs.MergedEvent.decode(value ?? Buffer.alloc(0)),
    }))
    .filter(({ record }) => record.workspace === workspace);
}

/** Who a person is at the end. */
function survivors(merged: readonly MergedRow[]): (person: string) => string {
  const into = new Map<string, string>();
  for (const { record } of merged) {
    if (record.kind === 'absorb' && record.other_person_id !== null)
      into.set(record.other_person_id, record.person_id);
  }
  return (person) => {
    let current = person;
    for (let next = into.get(current); next !== undefined; next = into.get(current)) current = next;
    return current;
  };
}

/** Promise 1: what was acknowledged is there once; what waits is nobody's. */
function onceFaults({ workload, isWhole }: Evidence, events: readonly MergedRow[]): string[] {
  const times = new Map<string, number>();
  for (const { record } of events) {
    const id = record.event?.message_id ?? '';
    times.set(id, (times.get(id) ?? 0) + 1);
  }
  const faults: string[] = [];
  for (const id of workload.owners.keys()) {
    const count = times.get(id) ?? 0;
    if (count > 1 || (count < 1 && isWhole))
      faults.push(`message ${id} is ${String(count)} times on events.merged`);
  }
  for (const id of times.keys()) {
    if (!workload.owners.has(id)) faults.push(`message ${id} of an unclaimed visitor is on events.merged`);
  }
  return faults;
}

/** Promise 2: everything that belongs to one person in the end is that person's. */
function personFaults(
  { workload }: Evidence,
  events: readonly MergedRow[],
  survivorOf: (person: string) => string,
): string[] {
  const group = new Map<string, string>();
  for (const call of workload.calls) if (call.type === 'merge') group.set(call.secondary, call.primary);
  const personOf = new Map<string, string>();
  const ownerOf = new Map<string, string>();
  const faults: string[] = [];
  for (const { record } of events) {
    const owner = workload.owners.get(record.event?.message_id ?? '');
    if (owner === undefined) continue;
    const identifier = group.get(owner) ?? owner;
    const person = survivorOf(record.person_id);
    const known = personOf.get(identifier) ?? person;
    const other = ownerOf.get(person) ?? identifier;
    personOf.set(identifier, known);
    ownerOf.set(person, other);
    if (known !== person) faults.push(`${identifier} is two people, ${known} and ${person}`);
    if (other !== identifier) faults.push(`${person} is both ${other} and ${identifier}`);
  }
  return [...new Set(faults)];
}

/** Promise 2: in order within a lane, history before what follows. */
function orderFaults({ workload }: Evidence, events: readonly MergedRow[]): string[] {
  const rowOf = new Map(events.map((row) => [row.record.event?.message_id ?? '', row]));
  const faults: string[] = [];
  for (const order of workload.orders) {
    let before: MergedRow | undefined;
    for (const id of order) {
      const row = rowOf.get(id);
      if (row === undefined) continue; // told by onceFaults
      if (before !== undefined && (row.partition !== before.partition || row.offset < before.offset)) {
        faults.push(
          `message ${id} comes before ${before.record.event?.message_id ?? ''}, which was sent earlier`,
        );
      }
      before = row;
    }
  }
  return faults;
}

/** Promise 6: nothing is left out without a row that says why. */
function repeatFaults({ broker, codecs, workload, isWhole }: Evidence): string[] {
  const reasons = broker
    .everCommitted('eventsDropped')
    .map(({ record }) => codecs.DroppedEvent.decode(record.value ?? Buffer.alloc(0)))
    .filter((dropped) => dropped.workspace === workspace)
    .map(({ reason }) => reason);
  const repeats = reasons.filter((reason) => reason === 'duplicate_message').length;
  const faults: string[] = [];
  if (repeats > workload.repeats || (repeats < workload.repeats && isWhole)) {
    faults.push(`${String(workload.repeats)} messages were repeated, ${String(repeats)} rows say so`);
  }
  const others = reasons.length - repeats;
  if (others > 0)
    faults.push(`${String(others)} events were dropped for another reason: ${[...new Set(reasons)].join()}`);
  return faults;
}

/** Promise 5, in small: members are those who have ordered. */
function segmentFaults(
  { broker, codecs, isWhole }: Evidence,
  events: readonly MergedRow[],
  survivorOf: (person: string) => string,
): string[] {
  const members = new Map<string, number>();
  for (const { record } of broker.everCommitted('segmentsChanged')) {
    const change = codecs.SegmentChange.decode(record.value ?? Buffer.alloc(0));
    if (change.workspace !== workspace || change.segment_id !== 'ordered') continue;
    const step = change.change === 'entered' ? 1 : -1;
    members.set(change.person_id, (members.get(change.person_id) ?? 0) + step);
  }
  const entries = new Map<string, number>();
  for (const { record } of broker.everCommitted('journeysEntered')) {
    const entry = codecs.JourneyEntry.decode(record.value ?? Buffer.alloc(0));
    if (entry.workspace !== workspace || entry.journey_id !== 'thanks') continue;
    const person = entry.person_id;
    entries.set(person, (entries.get(person) ?? 0) + 1);
  }
  const people = new Set(events.map(({ record }) => survivorOf(record.person_id)));
  const orders = events.filter(({ record }) => record.event?.name === orderName);
  const ordered = new Set(orders.map(({ record }) => survivorOf(record.person_id)));
  const orderedLately = new Set(
    orders.filter(({ record }) => !isTooOld(record)).map(({ record }) => survivorOf(record.person_id)),
  );
  const faults: string[] = [];
  for (const person of people) {
    const expected = Number(ordered.has(person));
    const found = members.get(person) ?? 0;
    if (found !== expected && (isWhole || found > 1))
      faults.push(`${person} is ${String(found)} times a member, not ${String(expected)}`);
  }
  for (const [person, count] of entries) {
    if (count > 1) faults.push(`${person} entered a journey of mode once ${String(count)} times`);
  }
  for (const person of orderedLately) {
    const group = [...entries.keys()].filter((each) => survivorOf(each) === person);
    if (group.length === 0 && isWhole) faults.push(`${person} ordered and entered no journey`);
  }
  return faults;
}

/** The batches of a task are numbered without a gap or a repeat, whoever wrote them; a new layout begins above all. */
function journalFaults({ broker, codecs }: Evidence): string[] {
  const faults: string[] = [];
  for (const topic of ['mergerJournal', 'identityJournal', 'triggerJournal', 'inAppJournal'] as const) {
    const last = new Map<
      number,
      { readonly layout: number; readonly tasks: number; readonly sequence: number }
    >();
    for (const { partition, record } of broker.everCommitted(topic)) {
      const { sequence, layout, tasks } = codecs.BatchRecord.decode(record.value ?? Buffer.alloc(0));
      const before = last.get(partition) ?? { layout: 1, tasks: layout > 1 ? -1 : 1, sequence: 0 };
      // The last batch of a layout is closed by one of the next, which begins somewhere above.
      const follows = sequence === before.sequence + 1;
      const isNext =
        before.tasks < 0
          ? layout >= before.layout && sequence > before.sequence
          : layout === before.layout + Number(tasks < 0) && follows;
      if (!isNext) {
        faults.push(
          `${topic} ${String(partition)} goes from batch ${String(before.sequence)} of layout ` +
            `${String(before.layout)} to ${String(sequence)} of ${String(layout)}`,
        );
      }
      last.set(partition, { layout, tasks, sequence });
    }
  }
  return faults;
}

/** Promise 4: each record that makes a row is in its table once, with what it says. */
function sinkFaults({ broker, codecs, engine, isWhole }: Evidence): string[] {
  return expectedRows(broker, codecs).flatMap(({ table, keepsLatest, digests }) => {
    const times = new Map<string, number>();
    let wrong = 0;
    for (const row of engine.rows(table)) {
      const place = placeOf(row);
      times.set(place, (times.get(place) ?? 0) + 1);
      if (digests.get(place) !== row.digest) wrong += 1;
    }
    const lost = [...digests.keys()].filter((place) => !times.has(place)).length;
    // Of a table that keeps the latest row of a key a row that is there twice counts once.
    const doubled = keepsLatest ? 0 : [...times.values()].filter((count) => count > 1).length;
    const of = `of ${String(digests.size)} rows`;
    return [
      ...(lost > 0 && isWhole ? [`${table} lacks ${String(lost)} ${of}`] : []),
      ...(doubled > 0 ? [`${table} has ${String(doubled)} ${of} more than once`] : []),
      ...(wrong > 0 ? [`${table} has ${String(wrong)} rows that no record stands behind`] : []),
    ];
  });
}

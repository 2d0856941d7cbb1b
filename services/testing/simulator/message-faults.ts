/**
 * What is promised of on-site messages, asked of everything that was told of them: counted anew over the list of what was
 * shown, with nothing kept. Each fault is a sentence.
 */
import type { Codecs } from '../../../schemas/codec.ts';
import type { MessageEvent } from '../../../schemas/records.ts';
import type { MemoryBroker } from '../memory/memory-broker.ts';
import type { MessageBounds, Pages } from './pages.ts';

export interface MessageEvidence {
  readonly broker: MemoryBroker;
  readonly codecs: Codecs;
  readonly workspace: string;
  readonly pages: Pick<Pages, 'bounds' | 'shows'>;
  /** False when a service had lost its state and stood: then what is missing is no fault. */
  readonly isWhole: boolean;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function messageFaults(evidence: MessageEvidence): string[] {
  const told = toldOf(evidence);
  const shown = told.filter(({ event }) => event === 'shown');
  const firstEvents = firstEventsOf(evidence);
  return [
    ...evidence.pages.bounds.flatMap((bounds) => boundFaults(bounds, shown, { evidence, firstEvents })),
    ...armFaults(told),
    ...countFaults(told),
    ...answerFaults(evidence, shown),
  ];
}

function toldOf({ broker, codecs, workspace }: MessageEvidence): MessageEvent[] {
  return broker
    .everCommitted('messagesLogged')
    .sort((a, b) => a.record.order - b.record.order)
    .map(({ record }) => codecs.MessageEvent.decode(record.value ?? Buffer.alloc(0)))
    .filter((event) => event.workspace === workspace);
}

/** When each visitor was first heard of: what was shown before that was shown in no session. */
function firstEventsOf({ broker, codecs, workspace }: MessageEvidence): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const { record } of broker.everCommitted('eventsCollected')) {
    const event = codecs.CollectedEvent.decode(record.value ?? Buffer.alloc(0));
    if (event.workspace !== workspace || event.anonymous_id === null) continue;
    const before = first.get(event.anonymous_id) ?? Infinity;
    first.set(event.anonymous_id, Math.min(before, event.received_at));
  }
  return first;
}

interface Beside {
  readonly evidence: MessageEvidence;
  readonly firstEvents: ReadonlyMap<string, number>;
}

/** The run lasts for less than a session may pause, so a visitor has one, from their first event on. */
function boundFaults(bounds: MessageBounds, all: readonly MessageEvent[], beside: Beside): string[] {
  const { evidence, firstEvents } = beside;
  const groups = new Map(evidence.pages.bounds.map(({ id, group }) => [id, group]));
  const visitors = [...new Set(all.map(({ anonymous_id: who }) => who))];
  return visitors.flatMap((who) => {
    const theirs = all.filter(({ anonymous_id: other }) => other === who);
    const own = theirs.filter(({ message_id: id }) => id === bounds.id);
    const grouped =
      bounds.group === undefined
        ? own
        : theirs.filter(({ message_id: id }) => groups.get(id) === bounds.group);
    const began = firstEvents.get(who) ?? Infinity;
    const most = {
      frequency: [own.length, bounds.times],
      day: [mostUpTo(own, grouped, ({ at }) => Math.floor(at / DAY_MS)), bounds.day],
      session: [mostUpTo(own, grouped, ({ at }) => Number(at >= began)), bounds.session],
    } as const;
    const gapped = bounds.group === undefined ? theirs : grouped;
    const least = {
      gap: [bounds.times === Infinity ? Infinity : leastGap(own, own), bounds.gapMs],
      'gap of caps': [leastGap(own, gapped), bounds.capGapMs],
    } as const;
    return [
      ...Object.entries(most).flatMap(([name, [count, max]]) =>
        count > max
          ? [`${bounds.id} was shown to ${who} ${String(count)} times for a ${name} of ${String(max)}`]
          : [],
      ),
      ...Object.entries(least).flatMap(([name, [ms, min]]) =>
        ms < min
          ? [`${bounds.id} was shown to ${who} after ${String(ms)} ms for a ${name} of ${String(min)}`]
          : [],
      ),
    ];
  });
}

/** Up to each of `own`, and with it: how many of `counted` are in the same span, at most. */
function mostUpTo(
  own: readonly MessageEvent[],
  counted: readonly MessageEvent[],
  spanOf: (event: MessageEvent) => number,
): number {
  const counts = own.map((one) => {
    const until = counted.slice(0, counted.indexOf(one) + 1);
    return until.filter((other) => spanOf(other) === spanOf(one)).length;
  });
  return Math.max(0, ...counts);
}

function leastGap(own: readonly MessageEvent[], others: readonly MessageEvent[]): number {
  const gaps = own.map((one) => {
    const before = others.slice(0, others.indexOf(one)).at(-1);
    return before === undefined ? Infinity : one.at - before.at;
  });
  return Math.min(Infinity, ...gaps);
}

/** A visitor keeps their arm and their variant. */
function armFaults(told: readonly MessageEvent[]): string[] {
  const arms = new Map<string, Set<string>>();
  for (const { message_id: id, anonymous_id: who, variant, event } of told) {
    if (event !== 'shown' && event !== 'held_out') continue;
    const key = `${id} of ${who}`;
    arms.set(key, (arms.get(key) ?? new Set()).add(variant ?? ''));
  }
  return [...arms].flatMap(([key, its]) => (its.size > 1 ? [`${key} had the arms ${[...its].join()}`] : []));
}

/** Who was eligible was shown it, refused it or held out; what counts once is told once. */
function countFaults(told: readonly MessageEvent[]): string[] {
  const count = (...names: string[]) => told.filter(({ event }) => names.includes(event)).length;
  const [eligible, outcomes] = [count('eligible'), count('shown', 'refused', 'held_out')];
  const once = new Set<string>();
  const faults =
    eligible === outcomes ? [] : [`${String(eligible)} were eligible, ${String(outcomes)} became something`];
  for (const one of told) {
    const of = onceBy(one);
    if (of === undefined) continue;
    const { event, message_id: id, anonymous_id: who } = one;
    const key = `${event} ${of} of ${id} for ${who}`;
    if (once.has(key)) faults.push(`${key} was told twice`);
    once.add(key);
  }
  return faults;
}

/** What of a visitor, a message and an event is told once; undefined: it may be told again. */
function onceBy({ event, exposure, reason, at, cause_message_id: cause }: MessageEvent): string | undefined {
  const hour = String(Math.floor(at / HOUR_MS));
  switch (event) {
    case 'shown':
      return exposure ?? '';
    case 'refused':
      return `${reason ?? ''} in hour ${hour}`;
    case 'held_out':
      return `in hour ${hour}`;
    case 'converted':
      return cause ?? '';
    default:
      return undefined;
  }
}

/** Who asks again for the same showing is answered as before, and what was answered is what was told. */
function answerFaults(
  { broker, codecs, workspace, pages, isWhole }: MessageEvidence,
  shown: readonly MessageEvent[],
): string[] {
  const answers = new Map<string, Set<boolean>>();
  const answered = new Set<string>();
  for (const { record } of broker.everCommitted('inAppAnswers')) {
    const answer = codecs.InAppAnswer.decode(record.value ?? Buffer.alloc(0));
    const exposure = pages.shows.get(answer.request_id)?.exposure;
    if (answer.workspace !== workspace || exposure === null || exposure === undefined) continue;
    answered.add(answer.request_id);
    answers.set(exposure, (answers.get(exposure) ?? new Set()).add(answer.taken));
  }
  const told = new Set(shown.map(({ exposure }) => exposure));
  const faults = [...answers].flatMap(([exposure, its]) => {
    if (its.size > 1) return [`${exposure} was answered both ways`];
    return its.has(true) === told.has(exposure) ? [] : [`${exposure} was answered and told differently`];
  });
  for (const request of isWhole ? pages.shows.keys() : []) {
    if (!answered.has(request)) faults.push(`${request} has no answer`);
  }
  return faults;
}

/** A small shop's topics under a seed: people who merge, split and are deleted, and what every table is made of. */
import { activity } from '../../../schemas/activity.ts';
import type { Codecs } from '../../../schemas/codec.ts';
import { droppedEvent } from '../../../schemas/dropped-event.ts';
import { identityDecision } from '../../../schemas/identity-decision.ts';
import { watermarkRecord } from '../../../schemas/merged-event.ts';
import type { IdentityFact } from '../../../schemas/records.ts';
import type { TopicId } from '../../../schemas/topics.ts';
import { Random } from '../random.ts';
import type { Log } from '../../runtime/log/ports.ts';
import { sampleCollected, sampleMerged } from './sample-load.ts';

const PEOPLE = 24;
const VISITORS = 40;
const DAY_MS = 86_400_000;
const person = (number: number): string => `cio_${String(number).padStart(16, '0')}`;
const visitor = (number: number): string => `visitor-${String(number)}`;

interface Telling {
  readonly random: Random;
  readonly codecs: Codecs;
  readonly now: number;
  readonly put: (topic: TopicId, key: string, value: Buffer) => void;
}

/** Writes the story to the topics. @returns how many records. */
export async function tellStory(options: {
  readonly log: Log;
  readonly codecs: Codecs;
  readonly seed: number;
  readonly events: number;
}): Promise<number> {
  const { log, codecs, seed, events } = options;
  const producer = await log.producer({ lingerMs: 2, pendingRecordsMax: 100_000 });
  const sends: Promise<unknown>[] = [];
  const put = (topic: TopicId, key: string, value: Buffer): void => {
    sends.push(producer.send(topic, Buffer.from(key), value));
  };
  const telling = { random: new Random(seed), codecs, now: Date.now(), put };
  tellEvents(telling, events);
  tellFacts(telling);
  tellPeople(telling);
  tellRules(telling);
  await Promise.all(sends);
  await producer.close();
  return sends.length;
}

function tellEvents({ random, codecs, now, put }: Telling, events: number): void {
  for (let number = 0; number < events; number++) {
    const at = now - random.between(0, 40) * DAY_MS - random.between(0, DAY_MS);
    const who = random.between(0, PEOPLE - 1);
    const anonymous_id = visitor(random.between(0, VISITORS - 1));
    const merged = sampleMerged(number, at);
    const event = merged.event === null ? null : { ...merged.event, anonymous_id };
    put(
      'eventsMerged',
      `sample:${person(who)}`,
      codecs.MergedEvent.encode({ ...merged, person_id: person(who), event }),
    );
    const collected = { ...sampleCollected(events + number, at, true), anonymous_id };
    put('eventsCollected', `sample:a:${anonymous_id}`, codecs.CollectedEvent.encode(collected));
  }
  put('eventsMerged', 'sample:', codecs.MergedEvent.encode(watermarkRecord(0, now)));
}

/** Claims, then merges, splits and deletions of people chosen by chance, numbered. */
function tellFacts({ random, codecs, now, put }: Telling): void {
  let number = 0;
  const tell = (fact: Pick<IdentityFact, 'kind'> & Partial<IdentityFact>): void => {
    const whole: IdentityFact = {
      number: ++number,
      workspace: 'sample',
      at: now - DAY_MS + number * 1000,
      person_id: null,
      other_person_id: null,
      identifier_kind: 'none',
      identifier: null,
      lane: null,
      message_id: null,
      detail: null,
      ...fact,
    };
    put('identityLog', 'sample', codecs.IdentityFact.encode(whole));
  };
  for (let who = 0; who < PEOPLE; who++) tell({ kind: 'person_created', person_id: person(who) });
  const holder = new Map<string, string>();
  for (let lane = 0; lane < VISITORS; lane += 2) {
    const person_id = person(random.between(0, PEOPLE - 1));
    holder.set(visitor(lane), person_id);
    tell({
      kind: 'anonymous_claimed',
      person_id,
      identifier_kind: 'anonymous_id',
      identifier: visitor(lane),
    });
    tellGrant({ codecs, put, now }, visitor(lane), person_id);
  }
  const alive = Array.from({ length: PEOPLE }, (_, who) => person(who));
  for (let step = 0; step < 12; step++) {
    const [person_id] = alive.splice(random.between(0, alive.length - 1), 1);
    const other_person_id = alive[random.between(0, alive.length - 1)];
    if (person_id === undefined || other_person_id === undefined) return;
    if (step % 4 === 3) tell({ kind: 'person_deleted', person_id });
    else tell({ kind: 'person_absorbed', person_id, other_person_id });
    for (const [identifier, owner] of holder) {
      if (owner !== person_id) continue;
      holder.set(identifier, other_person_id);
      if (step % 4 !== 1) continue;
      const names = { identifier_kind: 'anonymous_id', identifier } as const;
      const people = { person_id: alive[0] ?? null, other_person_id };
      tell({ kind: 'person_split', ...people });
      tell({ kind: 'anonymous_moved', ...people, ...names });
      break;
    }
  }
}

function tellGrant(
  { codecs, put, now }: Pick<Telling, 'codecs' | 'put' | 'now'>,
  anonymousId: string,
  personId: string,
): void {
  const lane = `sample:a:${anonymousId}`;
  const decision = identityDecision({
    kind: 'granted',
    workspace: 'sample',
    lane,
    request_number: 1,
    person_id: personId,
    claimed_at: now - 5 * DAY_MS,
  });
  put('identityDecisions', lane, codecs.IdentityDecision.encode(decision));
}

/** Both aspects of everybody, some of them several times: the latest counts. */
function tellPeople({ codecs, now, put }: Telling): void {
  for (let version = 1; version <= 3; version++) {
    for (let who = 0; who < PEOPLE; who++) {
      if (version > 1 && who % version === 0) continue;
      for (const aspect of ['graph', 'profile'] as const) {
        const change = {
          aspect,
          workspace: 'sample',
          person_id: person(who),
          at: now,
          version,
          state: 'alive',
          absorbed_into: null,
          id: aspect === 'graph' ? `customer-${String(who)}` : null,
          email: aspect === 'graph' ? `p${String(who)}@shop.example` : null,
          created_at: now - DAY_MS,
          first_seen_at: now - 2 * DAY_MS,
          attributes: aspect === 'profile' ? JSON.stringify({ version }) : null,
          relationships: null,
        } as const;
        put('peopleChanged', `sample:${person(who)}:${aspect}`, codecs.PersonChange.encode(change));
      }
    }
  }
}

function tellRules({ random, codecs, now, put }: Telling): void {
  for (let number = 0; number < 200; number++) {
    const person_id = person(random.between(0, PEOPLE - 1));
    const key = `sample:${person_id}`;
    const common = { workspace: 'sample', person_id, rule_version: 1 };
    const change = number % 3 === 0 ? 'left' : 'entered';
    const at = now - number * 1000;
    const segment = {
      ...common,
      segment_id: `s${String(number % 4)}`,
      change,
      at,
      cause: 'time',
      cause_message_id: null,
    } as const;
    put('segmentsChanged', key, codecs.SegmentChange.encode(segment));
    const journey = {
      ...common,
      journey_id: `j${String(number % 3)}`,
      entered_at: at,
      trigger_message_id: null,
      key: number % 2 === 0 ? null : `cart-${String(number)}`,
      evidence: number % 2 === 0 ? null : '{"conditions":[]}',
    };
    put('journeysEntered', key, codecs.JourneyEntry.encode(journey));
    const skip = { ...common, journey_id: journey.journey_id, key: null, at, reason: 'frequency' };
    put(
      'journeysSkipped',
      key,
      codecs.JourneySkip.encode({ ...skip, trigger_message_id: `m${String(number)}`, detail: '{}' }),
    );
    const line = activity({
      workspace: 'sample',
      kind: 'Anonymous Data Merged',
      person_id: number % 5 === 0 ? null : person_id,
      anonymous_id: visitor(number % VISITORS),
      timestamp: at,
      processed_at: at,
    });
    put('activitiesLogged', key, codecs.Activity.encode(line));
    const dropped = droppedEvent({
      workspace: 'sample',
      reason: number % 2 === 0 ? 'duplicate_message' : 'invalid_call',
      stage: 'merger',
      at,
      person_id,
      detail: JSON.stringify({ partition: number % 4, offset: number }),
    });
    put('eventsDropped', key, codecs.DroppedEvent.encode(dropped));
  }
}

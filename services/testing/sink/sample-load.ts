/** Records for drills and benches: plausible, deterministic by their number, no two alike. */
import { setTimeout as sleep } from 'node:timers/promises';
import { activity } from '../../../schemas/activity.ts';
import type { Codecs } from '../../../schemas/codec.ts';
import { droppedEvent } from '../../../schemas/dropped-event.ts';
import { identityDecision } from '../../../schemas/identity-decision.ts';
import { mergedEvent } from '../../../schemas/merged-event.ts';
import type {
  CollectedEvent,
  DroppedEvent,
  IdentityFact,
  JourneyEntry,
  MergedEvent,
  PersonChange,
  SegmentChange,
} from '../../../schemas/records.ts';
import type { Log, Producer } from '../../runtime/log/ports.ts';

const NAMES = ['Product Viewed', 'Product Added', 'Checkout Started', 'Order Completed', 'Quiz Completed'];

export function sampleCollected(number: number, receivedAt: number, anonymous: boolean): CollectedEvent {
  const visitor = number % 997;
  return {
    received_at: receivedAt,
    type: number % 7 === 0 ? 'page' : 'event',
    identifier_kind: anonymous ? 'none' : 'id',
    identifier: anonymous ? null : `customer-${String(visitor)}`,
    anonymous_id: `visitor-${String(visitor)}`,
    message_id: `message-${String(number)}`,
    timestamp: receivedAt - (number % 100) * 1000,
    workspace: 'sample',
    source: 'track.v1.event',
    name: NAMES[number % NAMES.length] ?? null,
    id: null,
    email: null,
    cio_id: null,
    update_only: false,
    attributes_at: null,
    properties: JSON.stringify({
      product_id: `sku-${String(number % 5000)}`,
      price: (number % 20_000) / 100,
      quantity: 1 + (number % 3),
      category: 'shoes/running',
      note: 'größe 42\t\n\0',
    }),
    context:
      number % 3 === 0
        ? null
        : '{"page":{"url":"https://shop.example/p/1"},"campaign":{"source":"newsletter"}}',
    bot: number % 11 === 0,
    waits: number % 22 !== 0,
  };
}

export function sampleMerged(number: number, receivedAt: number): MergedEvent {
  return mergedEvent({
    kind: 'event',
    workspace: 'sample',
    person_id: `cio_${String(number % 997).padStart(16, '0')}`,
    merged_at: receivedAt,
    previously_anonymous: number % 2 === 0,
    event: sampleCollected(number, receivedAt, number % 2 === 0),
  });
}

export interface Load {
  sent(): number;
  /** Resolves when everything sent is acknowledged. */
  stop(): Promise<void>;
}

/** Sends records to every topic that has a table, at a rate, until it is stopped. */
export async function startLoad(options: {
  readonly log: Log;
  readonly codecs: Codecs;
  readonly eventsPerSecond: number;
  readonly seed: number;
}): Promise<Load> {
  const { log, codecs, eventsPerSecond, seed } = options;
  const producer = await log.producer({ lingerMs: 5, pendingRecordsMax: 100_000 });
  const stop = new AbortController();
  let sent = 0;
  const start = performance.now();
  const running = (async () => {
    while (!stop.signal.aborted) {
      const due = ((performance.now() - start) / 1000) * eventsPerSecond;
      const batch: Promise<unknown>[] = [];
      for (; sent < due; sent++) batch.push(...sendOne({ producer, codecs, seed }, sent));
      await Promise.all(batch);
      await sleep(10);
    }
    await producer.close();
  })();
  return {
    sent: () => sent,
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

interface Sending {
  readonly producer: Producer;
  readonly codecs: Codecs;
  readonly seed: number;
}

/** An event of a person; now and then one of nobody, a dropped one, a changed profile, and one of each other topic. */
function sendOne({ producer, codecs, seed }: Sending, number: number): Promise<unknown>[] {
  const at = Date.now();
  const key = Buffer.from(`sample:${String(number % 997)}`);
  const sends = [producer.send('eventsMerged', key, codecs.MergedEvent.encode(sampleMerged(number, at)))];
  if (number % 4 === 0) {
    const value = codecs.CollectedEvent.encode(sampleCollected(number + seed, at, true));
    sends.push(producer.send('eventsCollected', key, value));
  }
  if (number % 50 === 0) {
    sends.push(producer.send('eventsDropped', key, codecs.DroppedEvent.encode(sampleDropped(number, at))));
  }
  if (number % 100 === 0) {
    const change = sampleProfile(number, at);
    const profileKey = Buffer.from(`sample:${change.person_id}:profile`);
    sends.push(producer.send('peopleChanged', profileKey, codecs.PersonChange.encode(change)));
  }
  if (number % 100 === 50) sends.push(...sendOthers({ producer, codecs }, number, at));
  return sends;
}

/** A record to every other topic that has a table. One fact in ten is a merge, after which rows are another person's. */
function sendOthers(
  { producer, codecs }: Pick<Sending, 'producer' | 'codecs'>,
  number: number,
  at: number,
): Promise<number>[] {
  const workspace = 'sample';
  const person_id = `cio_${String(number % 37)}`;
  const message_id = `message-${String(number)}`;
  const merge = number % 1000 === 50;
  const fact: IdentityFact = {
    number: number + 1,
    workspace,
    kind: merge ? 'person_absorbed' : 'identifier_added',
    at,
    person_id: merge ? `cio_merged_${String(number)}` : person_id,
    other_person_id: merge ? person_id : null,
    identifier_kind: merge ? 'none' : 'id',
    identifier: merge ? null : `customer-${String(number)}`,
    lane: null,
    message_id,
    detail: merge ? '{"cause":"merge"}' : null,
  };
  const lane = `sample:a:visitor-${String(number)}`;
  const decision = identityDecision({
    ...{ kind: 'granted', workspace, lane, request_number: number, person_id, claimed_at: at },
  });
  const change: SegmentChange = {
    ...{ workspace, segment_id: 'loaded', person_id, change: number % 200 === 50 ? 'entered' : 'left', at },
    ...{ cause: 'call', cause_message_id: message_id, rule_version: 1 },
  };
  const entry: JourneyEntry = {
    ...{
      workspace,
      journey_id: 'loaded',
      person_id,
      entered_at: at,
      trigger_message_id: null,
      rule_version: 1,
      key: null,
      evidence: null,
    },
  };
  const detail = JSON.stringify({ number });
  const line = activity({ workspace, kind: 'Loaded', person_id, timestamp: at, message_id, detail });
  const key = Buffer.from(`${workspace}:${person_id}`);
  return [
    producer.send('identityLog', Buffer.from(workspace), codecs.IdentityFact.encode(fact)),
    producer.send('identityDecisions', Buffer.from(lane), codecs.IdentityDecision.encode(decision)),
    producer.send('segmentsChanged', key, codecs.SegmentChange.encode(change)),
    producer.send('journeysEntered', key, codecs.JourneyEntry.encode(entry)),
    producer.send('activitiesLogged', key, codecs.Activity.encode(line)),
  ];
}

function sampleDropped(number: number, at: number): DroppedEvent {
  const message_id = `message-${String(number)}`;
  return droppedEvent({ workspace: 'sample', reason: 'invalid_call', stage: 'load', at, message_id });
}

function sampleProfile(number: number, at: number): PersonChange {
  return {
    aspect: 'profile',
    workspace: 'sample',
    person_id: `cio_${String(number % 37)}`,
    at,
    version: number + 1,
    state: 'alive',
    absorbed_into: null,
    id: null,
    email: null,
    created_at: null,
    first_seen_at: at,
    attributes: JSON.stringify({ number }),
    relationships: null,
  };
}

/**
 * Feeds a topic at a steady rate, in a process of its own: the first events of the workload, as events of ours or as
 * the peer's records. One program for both, so that the rate, the batches and the cores that it takes are alike.
 * `node bench/merger/steady-feed.ts <brokers> <registry> <prefix> collected|peer <events a second> <events>`;
 * prints its figures as a line of JSON.
 */
import { argv } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLog } from '../../services/runtime/log/open-log.ts';
import { registerSchemas } from '../../services/runtime/registry.ts';
import { Workload } from '../workload.ts';
import { peerEventOf } from './peer-event.ts';
import { asCollected, laneOf, peerValueOf } from './peer-record.ts';

export interface FeedFigures {
  readonly seconds: number;
  /** How far behind its time an event was sent at most. */
  readonly lateMsMax: number;
}

/** What a lone event waits at most for others: the linger of the peer's generator. */
const LINGER_MS = 50;
const PENDING_RECORDS_MAX = 100_000;
const STEP_MS = 5;
const SEED = 1;

const [, , brokers = '', registryUrl = '', prefix = '', form, rateText, eventsText] = argv;
const [rate, events] = [Number(rateText) / 1_000, Number(eventsText)];

const codecs = await registerSchemas({ url: registryUrl });
const log = await openLog({ brokers: brokers.split(','), clientId: 'bench-feed', prefix });
const producer = await log.producer({ lingerMs: LINGER_MS, pendingRecordsMax: PENDING_RECORDS_MAX });
const workload = new Workload(SEED);
let lateMsMax = 0;
const startedAt = performance.now();
for (let sent = 0; sent < events;) {
  const elapsed = performance.now() - startedAt;
  lateMsMax = Math.max(lateMsMax, elapsed - sent / rate);
  // A machine that stood still for a while is made up for in steps, since the producer takes a bounded number.
  const due = Math.min(events, Math.ceil(elapsed * rate), sent + PENDING_RECORDS_MAX / 2 - producer.pending);
  for (; sent < due; sent += 1) send();
  await sleep(STEP_MS);
}
const figures: FeedFigures = { seconds: (performance.now() - startedAt) / 1_000, lateMsMax };
await producer.close();
await log.close();
console.log(JSON.stringify(figures));

/** A send that fails ends the process: nobody takes its rejection. */
function send(): void {
  const record = peerEventOf(workload.next());
  const event = asCollected(record);
  if (form === 'peer') {
    void producer.send('eventsCollected', Buffer.from(record.anonymousId), peerValueOf(event));
    return;
  }
  const lane = Buffer.from(laneOf(record.anonymousId));
  void producer.send('eventsCollected', lane, codecs.CollectedEvent.encode(event));
}

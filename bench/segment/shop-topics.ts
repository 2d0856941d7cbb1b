/** An installation before its trigger starts: its segments are defined, and what people of the shop do is on events.merged. */
import type { Codecs } from '../../schemas/codec.ts';
import { mergedEvent, watermarkRecord } from '../../schemas/merged-event.ts';
import type { CollectedEvent } from '../../schemas/records.ts';
import { partitionOf } from '../../schemas/partitioner.ts';
import { openLog } from '../../services/runtime/log/open-log.ts';
import type { Log } from '../../services/runtime/log/ports.ts';
import { BulkWriter } from '../merger/bulk-writer.ts';
import { collected, personId, START, WORKSPACE } from '../trigger/trigger-processor.ts';
import type { WatchingSegment } from '../trigger/watching-segments.ts';
import type { ExpectedChanges } from './expected-changes.ts';
import { shopEvents, spanMs, type Shop, type ShopEvent } from './shop-events.ts';

export const PARTITIONS = 4;
export const RULE_VERSION = 1;
/** Each lane partition says how far it is once a second; so many events as a shop of 2,000 per second has between. */
const EVENTS_A_WATERMARK = 2_000;

export interface Stage {
  readonly brokers: string;
  readonly codecs: Codecs;
}

/** Event time between two watermarks, ms. */
export function watermarkEveryMs({ events }: Shop): number {
  return Math.ceil((EVENTS_A_WATERMARK * spanMs) / events);
}

/** The last watermark: behind everything that happens, so that each partition is told of all windows that have ended, ms. */
export function endOf(shop: Shop): number {
  return START + spanMs + 3 * watermarkEveryMs(shop);
}

export async function fillShop(
  { brokers, codecs }: Stage,
  prefix: string,
  { shop, segments }: { readonly shop: Shop; readonly segments: readonly WatchingSegment[] },
  expected: ExpectedChanges,
): Promise<void> {
  const log = await openLog({ brokers: brokers.split(','), clientId: 'bench-shop', prefix });
  try {
    await define(log, codecs, segments);
    const writer = await BulkWriter.open(log, 'eventsMerged', PARTITIONS);
    const mark = async (time: number): Promise<void> => {
      for (let lane = 0; lane < PARTITIONS; lane += 1) {
        const value = codecs.MergedEvent.encode(watermarkRecord(lane, time));
        for (let partition = 0; partition < PARTITIONS; partition += 1) {
          await writer.append(partition, null, value);
        }
      }
    };
    for (const event of shopEvents(shop)) {
      expected.take(event);
      const key = Buffer.from(personKeyOf(event.person));
      await writer.append(partitionOf(key, PARTITIONS), key, encode(codecs, event));
      if ((event.number + 1) % EVENTS_A_WATERMARK === 0) await mark(event.mergedAt);
    }
    await mark(endOf(shop));
    await writer.finish();
  } finally {
    await log.close();
  }
}

export function personKeyOf(person: number): string {
  return `${WORKSPACE}:${personId(person)}`;
}

export function messageIdOf(event: number): string {
  return `message-${String(event)}`;
}

async function define(log: Log, codecs: Codecs, segments: readonly WatchingSegment[]): Promise<void> {
  const writer = await BulkWriter.open(log, 'definitions', PARTITIONS);
  for (const { id, body } of segments) {
    const record = { kind: 'segment', workspace: WORKSPACE, id, version: RULE_VERSION } as const;
    const value = codecs.Definition.encode({
      ...record,
      deleted: false,
      at: START,
      body: JSON.stringify(body),
    });
    await writer.append(0, Buffer.from(`${WORKSPACE}/segment/${id}`), value);
  }
  await writer.finish();
}

export function eventOf({ number, name, price, mergedAt, timestamp }: ShopEvent): CollectedEvent {
  const properties = JSON.stringify({
    sku: `sku-${String(number)}`,
    price,
    category: 'shoes',
    colour: 'red',
  });
  return collected(number, mergedAt, { name, timestamp, properties, message_id: messageIdOf(number) });
}

function encode(codecs: Codecs, shopEvent: ShopEvent): Buffer {
  const whose = { workspace: WORKSPACE, person_id: personId(shopEvent.person) };
  const event = eventOf(shopEvent);
  return codecs.MergedEvent.encode(
    mergedEvent({ kind: 'event', ...whose, merged_at: shopEvent.mergedAt, event }),
  );
}

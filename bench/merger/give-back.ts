/**
 * The way out: `events.merged` becomes the peer's records, keyed by user id, for its checker. Its application drops the
 * later identifies of an anonymous id, and ours merges them (they are events of the person they name), so they are left
 * out here; nothing else is.
 */
import type { Codecs } from '../../schemas/codec.ts';
import { partitionOf } from '../../schemas/partitioner.ts';
import type { CollectedEvent } from '../../schemas/records.ts';
import { assert } from '../../services/runtime/errors.ts';
import { openLog } from '../../services/runtime/log/open-log.ts';
import type { Log } from '../../services/runtime/log/ports.ts';
import { BulkWriter } from './bulk-writer.ts';
import { peerValueOf } from './peer-record.ts';

const MERGED = 'eventsMerged';
/** The peer's output topic is named as this one is, under the prefix of the copy. */
const COPY = 'eventsCollected';
const TAKE_BYTES = 4 << 20;
const BUFFER_BYTES_MAX = 16 << 20;
const WAIT_MS = 100;

export interface GiveBackOptions {
  readonly brokers: readonly string[];
  readonly codecs: Codecs;
  readonly partitions: number;
  /** Prefix of the installation. */
  readonly from: string;
  /** Prefix of the copy; its topics are made here. */
  readonly into: string;
}

export async function giveBack({
  brokers,
  codecs,
  partitions,
  from,
  into,
}: GiveBackOptions): Promise<{ readonly laterIdentifies: number }> {
  const source = await openLog({ brokers, clientId: 'bench-give-back', prefix: from });
  const sink = await openLog({ brokers, clientId: 'bench-give-back', prefix: into });
  try {
    const claims = new Claims();
    for await (const { personId, event } of mergedEvents(source, codecs)) claims.take(personId, event);
    let laterIdentifies = 0;
    const writer = await BulkWriter.open(sink, COPY, partitions);
    for await (const { personId, event } of mergedEvents(source, codecs)) {
      if (claims.isLater(event)) {
        laterIdentifies += 1;
        continue;
      }
      const userId = claims.userOf(personId);
      await writer.append(partitionOf(userId, partitions), Buffer.from(userId), peerValueOf(event));
    }
    await writer.finish();
    return { laterIdentifies };
  } finally {
    await source.close();
    await sink.close();
  }
}

/** Who is whom, by the identifies on `events.merged`. */
class Claims {
  readonly #users = new Map<string, string>();
  /** Message id of the first identify of each anonymous id. */
  readonly #first = new Map<string, string>();

  take(personId: string, event: CollectedEvent): void {
    if (event.type !== 'identify') return;
    const { identifier, anonymous_id: anonymousId, message_id: messageId } = event;
    assert(identifier !== null && anonymousId !== null, 'an identify of the workload names a user and an id');
    const user = this.#users.get(personId);
    assert(user === undefined || user === identifier, 'a person of the workload has one user id');
    this.#users.set(personId, identifier);
    const first = this.#first.get(anonymousId);
    if (first === undefined || messageId < first) this.#first.set(anonymousId, messageId);
  }

  userOf(personId: string): string {
    // An event of somebody without an identify is one that the checker must see, under a name that it does not know.
    return this.#users.get(personId) ?? personId;
  }
  isLater(event: CollectedEvent): boolean {
    return event.type === 'identify' && this.#first.get(event.anonymous_id ?? '') !== event.message_id;
  }
}

interface Merged {
  readonly personId: string;
  readonly event: CollectedEvent;
}

async function* mergedEvents(log: Log, codecs: Codecs): AsyncGenerator<Merged> {
  const ends = await log.admin.endOffsets(MERGED);
  const next = ends.map(() => 0);
  const reader = log.reader({
    bufferBytesMax: BUFFER_BYTES_MAX,
    fetchBytesMax: TAKE_BYTES,
    waitMsMax: WAIT_MS,
  });
  try {
    await reader.start(ends.map((_, partition) => ({ topic: MERGED, partition, offset: 0 })));
    while (next.some((offset, partition) => offset < (ends[partition] ?? 0))) {
      await reader.wait(WAIT_MS);
      for (const slice of reader.take(TAKE_BYTES)) {
        const found: Merged[] = [];
        slice.forEach(({ bytes, valueStart, valueEnd }) => {
          const { kind, person_id: personId, event } = codecs.MergedEvent.decode(bytes, valueStart, valueEnd);
          if (kind === 'event' && event !== null) found.push({ personId, event });
        });
        next[slice.partition] = slice.next;
        slice.release();
        yield* found;
      }
    }
  } finally {
    await reader.close();
  }
}

/** Whose rows are whose is worked out anew only where a fact of the batch changes it. */
import { expect, test } from '@jest/globals';
import { localCodecs } from '../../schemas/codec.ts';
import type { IdentityFact } from '../../schemas/records.ts';
import { silentLogger } from '../runtime/logger.ts';
import type { RecordSlice } from '../runtime/log/ports.ts';
import { EngineModel } from '../testing/simulator/engine-model.ts';
import { MemoryBroker } from '../testing/memory/memory-broker.ts';
import { MemoryLog } from '../testing/memory/memory-log.ts';
import { Random } from '../testing/random.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { Batch } from './batch.ts';
import type { Range } from './ranges.ts';
import { settle } from './settle.ts';

const codecs = localCodecs();

function factsFrom(from: number, kinds: readonly IdentityFact['kind'][]): RecordSlice {
  const values = kinds.map((kind, at) =>
    codecs.IdentityFact.encode({
      number: from + at,
      workspace: 'shop',
      kind,
      at: 0,
      person_id: 'cio_1',
      other_person_id: kind === 'person_absorbed' ? 'cio_2' : null,
      identifier_kind: 'none',
      identifier: null,
      lane: null,
      message_id: '',
      detail: null,
    }),
  );
  return {
    topic: 'identityLog',
    partition: 3,
    from,
    next: from + kinds.length,
    byteLength: 0,
    forEach: (visit) => {
      for (const [at, bytes] of values.entries()) {
        const place = { keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: bytes.length };
        visit({ topic: 'identityLog', partition: 3, offset: from + at, appendedAt: 0, bytes, ...place });
      }
    },
    release: () => undefined,
  };
}

/** The ranges that were asked to be followed. */
async function followed(batch: Batch): Promise<readonly Range[]> {
  const time = new VirtualTime();
  const engine = new EngineModel({ time, random: new Random(1), isCalm: () => true });
  const asked: Range[] = [];
  const target = {
    ...engine.connect(new MemoryLog(new MemoryBroker(time, 4))),
    refreshToday: (since: readonly Range[] | 'all') => {
      if (since !== 'all') asked.push(...since);
      return Promise.resolve([]);
    },
  };
  const gauges = { inserts: 0, insertErrors: 0, rowsMended: 0, failingSince: undefined };
  const { signal } = new AbortController();
  let done = false;
  const settled = settle(batch, 'batch', false, { target, logger: silentLogger, signal, gauges, time });
  void settled.finally(() => (done = true));
  expect(await time.until(() => done, 10_000)).toBe(true);
  return asked;
}

test('facts that name somebody new or claim a visitor leave every row whose it is: nothing is worked out', async () => {
  const batch = new Batch(codecs);
  batch.add(factsFrom(10, ['person_created', 'identifier_added', 'anonymous_claimed']));
  expect(batch.rows).toBe(3);
  expect(await followed(batch)).toEqual([]);
});

test('a merge, a deletion and a split are followed, from the first of the batch to the last, and no older ones', async () => {
  const batch = new Batch(codecs);
  batch.add(factsFrom(10, ['person_created', 'person_absorbed', 'person_created']));
  batch.add(factsFrom(13, ['person_created', 'person_deleted', 'identifier_moved', 'person_created']));
  expect(await followed(batch)).toEqual([{ topic: 'identityLog', partition: 3, from: 11, to: 16 }]);
  batch.clear();
  batch.add(factsFrom(17, ['anonymous_claimed']));
  expect(await followed(batch)).toEqual([]);
});

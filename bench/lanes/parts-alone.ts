/** Parts that lie behind no port, measured by themselves, CPU an event. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { localCodecs, type Codecs } from '../../schemas/codec.ts';
import { lanesService } from '../../services/merger/service.ts';
import type { InputRecord } from '../../services/runtime/log/ports.ts';
import { openPartitionStores } from '../../services/runtime/store/open-stores.ts';
import type { Processor } from '../../services/runtime/task/ports.ts';
import { collectGarbage } from './collect-garbage.ts';
import { CountingOutputs } from './counting-outputs.ts';
import { Frames, PLACE, type Frame } from './frames.ts';
import { cpuMs, emptyRecord } from './lanes-run.ts';

export interface AloneFigure {
  readonly what: string;
  readonly microseconds: number;
  readonly how: string;
}

const BATCHES = 20;
const BATCH = 12_000;
const ROUNDS = 12;
/** For the compiler. */
const WARM_ROUNDS = 4;
const WATERMARK_SECONDS = 2_000;
const STEADY_EVENTS_PER_SECOND = 20_000;

export async function aloneFigures({
  folder,
  partitions,
}: {
  readonly folder: string;
  readonly partitions: number;
}): Promise<readonly AloneFigure[]> {
  const codecs = localCodecs();
  const frames = new Frames({ codecs, partitions, seed: 1, identifies: true, batch: BATCH });
  const block = frames.block(BATCHES, BATCHES * BATCH);
  const own = await mkdtemp(join(folder, 'alone-'));
  const stores = openPartitionStores(own, lanesService.stores);
  const processor = lanesService.open(0, partitions, stores, codecs);
  collectGarbage();
  const walk = perEvent(block, () => undefined);
  const routing = perEvent(block, (record) => processor.receivedAt(record));
  stores.close();
  await rm(own, { recursive: true });
  return [
    {
      what: 'Avro routing fields',
      microseconds: routing - walk,
      how: 'alone: the fields of every event read in place',
    },
    { what: 'walk over the records', microseconds: walk, how: 'alone' },
    {
      what: `watermarks at ${String(STEADY_EVENTS_PER_SECOND)} events/s`,
      microseconds: watermarks(codecs, partitions) / STEADY_EVENTS_PER_SECOND,
      how: `alone: one a second of each of ${String(partitions)} partitions, to all partitions of two topics`,
    },
  ];
}

type Visit = (record: InputRecord) => ReturnType<Processor['receivedAt']>;

function perEvent(block: readonly Frame[], visit: Visit): number {
  const events = block.reduce((sum, { places }) => sum + places.length / PLACE, 0);
  let begin = 0;
  let sum = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round === WARM_ROUNDS) begin = cpuMs();
    for (const frame of block) sum += visitAll(frame, visit);
  }
  // The sum is asked for, so that no compiler leaves out what makes it.
  return sum > 0 ? ((cpuMs() - begin) * 1_000) / (events * (ROUNDS - WARM_ROUNDS)) : NaN;
}

function visitAll({ topic, bytes, places }: Frame, visit: Visit): number {
  const record: InputRecord = { ...emptyRecord, topic, bytes };
  let sum = 0;
  for (let at = 0; at < places.length; at += PLACE) {
    record.keyStart = places[at + 1] ?? 0;
    record.keyEnd = record.valueStart = places[at + 2] ?? 0;
    record.valueEnd = places[at + 3] ?? 0;
    sum += visit(record) ?? record.valueEnd;
  }
  return sum;
}

/** Microseconds for a second's worth. */
function watermarks(codecs: Codecs, partitions: number): number {
  const outputs = new CountingOutputs(true);
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const second = (number: number): void => {
    const handled = { time: number, offset: number, behind: new Map() };
    for (const partition of all) {
      for (const { topic, value } of lanesService.watermarks?.encode(partition, handled, codecs) ?? []) {
        for (const to of all) outputs.append(topic, to, null, value);
      }
    }
    outputs.takeRequests();
    outputs.clear();
  };
  for (let number = 0; number < WATERMARK_SECONDS; number += 1) second(number); // for the compiler
  const begin = cpuMs();
  for (let number = 0; number < WATERMARK_SECONDS; number += 1) second(number);
  return ((cpuMs() - begin) * 1_000) / WATERMARK_SECONDS;
}

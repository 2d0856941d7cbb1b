/** Are the tables what the topics say? Row for row, by partition, offset and every column. For drills and tests. */
import { createHash } from 'node:crypto';
import type { Codecs } from '../../../schemas/codec.ts';
import type { Log, Position } from '../../runtime/log/ports.ts';
import { Batch, type TableRows } from '../../sink/batch.ts';
import type { RowBuffer } from '../../sink/row-buffer.ts';
import { PLACE_COLUMNS, sinkTopics } from '../../sink/tables.ts';
import type { Target } from '../../sink/target.ts';

export interface Comparison {
  /** Rows that the topics make. */
  readonly rows: number;
  readonly lost: number;
  readonly doubled: number;
  /** Rows whose content differs, or which no record stands behind. */
  readonly wrong: number;
}

/** Reads every topic from its start to its present end. */
export async function compareWithTopics(options: {
  readonly log: Log;
  readonly codecs: Codecs;
  readonly target: Target;
}): Promise<Comparison> {
  const { log, target } = options;
  const total = { rows: 0, lost: 0, doubled: 0, wrong: 0 };
  const expected = await expectedRows(log, options.codecs);
  for (const { entry, digests } of expected) {
    if (entry.spec.keepsLatest) continue; // its older rows go away: checked by the tests of the views
    const seen = new Map<string, number>();
    for (const row of await target.ask(digestQuery(entry))) {
      const [place = '', digest = ''] = row.split('\t');
      const times = (seen.get(place) ?? 0) + 1;
      seen.set(place, times);
      if (times > 1) total.doubled += 1;
      else if (digests.get(place) !== digest) total.wrong += 1;
    }
    total.rows += digests.size;
    for (const place of digests.keys()) if (!seen.has(place)) total.lost += 1;
  }
  return total;
}

interface Expected {
  readonly entry: TableRows;
  /** MD5 of the row's bytes by `partition/offset`. */
  readonly digests: Map<string, string>;
}

async function expectedRows(log: Log, codecs: Codecs): Promise<Expected[]> {
  const batch = new Batch(codecs);
  const digests = new Map(batch.tables.map((entry) => [entry.spec.table, new Map<string, string>()]));
  const left = new Map<string, number>();
  const positions: Position[] = [];
  for (const topic of sinkTopics) {
    const starts = await log.admin.startOffsets(topic);
    const ends = await log.admin.endOffsets(topic);
    ends.forEach((end, partition) => {
      const offset = starts[partition] ?? 0;
      if (end <= offset) return;
      left.set(`${topic}/${String(partition)}`, end);
      positions.push({ topic, partition, offset });
    });
  }
  if (positions.length === 0) return batch.tables.map((entry) => ({ entry, digests: new Map() }));
  const reader = log.reader({ bufferBytesMax: 1 << 24, fetchBytesMax: 1 << 21, waitMsMax: 500 });
  await reader.start(positions);
  while (left.size > 0) {
    await reader.wait(500);
    for (const slice of reader.take(1 << 21)) {
      batch.add(slice);
      if (slice.next >= (left.get(`${slice.topic}/${String(slice.partition)}`) ?? Infinity)) {
        left.delete(`${slice.topic}/${String(slice.partition)}`);
      }
      slice.release();
    }
    for (const { spec, rows } of batch.tables) {
      const own = digests.get(spec.table);
      for (let row = 0; row < rows.rows; row++) own?.set(placeOf(rows, row), md5(rows.pick([row])));
    }
    batch.clear();
  }
  await reader.close();
  return batch.tables.map((entry) => ({
    entry,
    digests: digests.get(entry.spec.table) ?? new Map<string, string>(),
  }));
}

function placeOf(rows: RowBuffer, row: number): string {
  return `${String(rows.partitionOf(row))}/${String(rows.offsetOf(row))}`;
}

function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** The engine writes each row in RowBinary again and digests it: equal digests, equal rows. */
function digestQuery({ spec, plan }: TableRows): string {
  const columns = [...plan.columns, ...PLACE_COLUMNS].join(', ');
  return `SELECT concat(toString(_partition), '/', toString(_offset)), lower(hex(MD5(formatRow('RowBinary', ${columns})))) FROM ${spec.table}`;
}

/**
 * Snapshots on real parts: killed with -9 in the middle of a copy, its state lost, its journal and inputs expired but for
 * what came after an older snapshot, and the newest damaged. It goes on as if nothing had been; with nothing to go on from
 * it stands.
 */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { topics, type TopicId } from '../../../../schemas/topics.ts';
import { eventually } from '../../../testing/eventually.ts';
import { ToyBroker } from '../../../testing/toy/toy-broker.ts';
import { ToyChild } from '../../../testing/toy/toy-child.ts';
import { stockKafka } from '../../../testing/log/stock-kafka.ts';

jest.setTimeout(300_000);

let toy: ToyBroker;

beforeEach(async () => {
  toy = await ToyBroker.open('snapshots');
});
afterEach(async () => {
  await toy.close();
});

/** Everything below these offsets goes, as retention takes it. */
async function expire(ends: ReadonlyMap<TopicId, readonly number[]>): Promise<void> {
  const admin = stockKafka().admin();
  await admin.connect();
  for (const [id, offsets] of ends) {
    const partitions = offsets.map((offset, partition) => ({ partition, offset: String(offset) }));
    const topic = toy.prefix + topics[id].name;
    await admin.fetchTopicOffsets(topic); // which has the client look up whom to ask
    await admin.deleteTopicRecords({ topic, partitions });
  }
  await admin.disconnect();
}

async function endsNow(ids: readonly TopicId[]): Promise<Map<TopicId, readonly number[]>> {
  const log = await toy.connect();
  const ends = new Map<TopicId, readonly number[]>();
  for (const id of ids) ends.set(id, await log.admin.endOffsets(id));
  await log.close();
  return ends;
}

const partitionsOf = (snapshots: string): string[] => readdirSync(join(snapshots, 'merger')).sort();
const copiesOf = (snapshots: string): string[] =>
  existsSync(join(snapshots, 'merger'))
    ? partitionsOf(snapshots).flatMap((partition) => readdirSync(join(snapshots, 'merger', partition)))
    : [];
const isUnfinished = (name: string): boolean => name.endsWith('.new');

/** Until it was killed in the middle of a copy. */
async function killCopying(child: ToyChild, snapshots: string): Promise<boolean> {
  const copying = new AbortController();
  void child
    .snapshot()
    .catch(() => undefined)
    .finally(() => {
      copying.abort();
    });
  while (!copiesOf(snapshots).some(isUnfinished) && !copying.signal.aborted) await sleep(0);
  child.signal('SIGKILL');
  await child.exited;
  return copiesOf(snapshots).some(isUnfinished);
}

function flipByte(file: string): void {
  const fd = openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, 20);
  byte[0] = (byte[0] ?? 0) ^ 1;
  writeSync(fd, byte, 0, 1, 20);
  closeSync(fd);
}

describe('a task whose state is lost', () => {
  test('goes on from its snapshots when logs and journal reach back no further', async () => {
    const options = { ...toy.childOptions, isStoring: true };
    const snapshots = join(options.dataFolder, 'snapshots');
    const state = join(options.dataFolder, 'state', 'merger');
    let child = new ToyChild(options);
    await child.live();
    await toy.send(20);
    await toy.expectCounted();
    const ends = await endsNow(['eventsCollected', 'mergerJournal']);
    await child.snapshot();
    await toy.send(20);
    await toy.expectCounted();
    await child.snapshot();
    await toy.send(20);
    await toy.expectCounted();
    while (!(await killCopying(child, snapshots))) {
      child = new ToyChild(options);
      await child.live();
    }

    rmSync(state, { recursive: true });
    await expire(ends);
    // One partition's newest is not what was copied: it goes on from the one before.
    const [partition = ''] = partitionsOf(snapshots);
    const folder = join(snapshots, 'merger', partition);
    const [newest = ''] = readdirSync(folder)
      .filter((name) => !isUnfinished(name))
      .sort()
      .reverse();
    const [segment = ''] = readdirSync(join(folder, newest, 'events')).filter((name) =>
      name.endsWith('.seg'),
    );
    flipByte(join(folder, newest, 'events', segment));

    child = new ToyChild(options);
    await child.live();
    await toy.send(20);
    await toy.expectCounted();
    expect(readdirSync(folder)).toContain(`${newest}.damaged`);
    child.signal('SIGKILL');
    await child.exited;

    rmSync(state, { recursive: true });
    renameSync(snapshots, `${snapshots}-elsewhere`);
    child = new ToyChild(options);
    await eventually(async () => /state_lost/.test(await child.health()));
    expect(await child.health()).toMatch(/failed: state_lost/);
    child.signal('SIGKILL');
    await child.exited;
  });
});

/** What is acknowledged reaches the log, in order for each lane, whatever becomes of log, disk and process. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toWorkspace } from '../../../schemas/ids.ts';
import { TakenRecords } from '../../runtime/taken-records.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { FlakyLog, type FlakyProducer } from '../../testing/flaky-log.ts';
import { Random } from '../../testing/random.ts';
import { FaultyFiles } from '../../testing/stores/faulty-files.ts';
import { VirtualTime } from '../../testing/virtual-time.ts';
import { QuietLog } from '../quiet-log.ts';
import { LogIntake, queueLimits, type IntakeOptions } from './intake.ts';
import { Spool } from './spool.ts';
import { runs } from '../../testing/runs.ts';

const shop = toWorkspace('shop');
const turn = () => new Promise(setImmediate);

function records(
  values: readonly (readonly [lane: string, value: string])[],
  workspace = shop,
): TakenRecords {
  const taken = new TakenRecords(workspace);
  for (const [lane, value] of values) {
    const key = `${workspace}:a:${lane}`;
    taken.add('eventsCollected', 0, key.length, key.length + value.length);
    taken.addPiece(Buffer.from(`${key}${value}`));
  }
  return taken;
}
function record(lane: string, value: string, workspace = shop): TakenRecords {
  return records([[lane, value]], workspace);
}

interface Gateway {
  readonly intake: LogIntake;
  readonly producer: FlakyProducer;
  readonly spool: Spool;
}

interface World {
  readonly files: FaultyFiles;
  readonly log: FlakyLog;
  readonly time: VirtualTime;
}

function world(seed = 1): World {
  const files = new FaultyFiles();
  files.isPrompt = true;
  return { files, log: new FlakyLog(new Random(seed)), time: new VirtualTime() };
}

async function start(
  { files, log, time }: World,
  options: Partial<IntakeOptions> & { readonly bytesMax?: number; readonly workspaceShare?: number } = {},
): Promise<Gateway> {
  const { bytesMax = 1 << 20, workspaceShare = 1, ...rest } = options;
  const spool = Spool.open({
    ...{ files, folder: '/spool', bytesMax, workspaceShare },
    ...{ holdMsMax: 3_600_000, now: () => time.now(), logger: silentLogger },
  });
  const producer = log.producer();
  const quiet = new QuietLog(silentLogger);
  const intake = await LogIntake.open({ producer, spool, spoolAfterMs: 3_000, log: quiet, time, ...rest });
  return { intake, producer, spool };
}

async function untilDrained({ intake, producer }: Gateway, time: VirtualTime): Promise<void> {
  for (let step = 0; intake.state.state === 'spooling' || intake.state.queued_records > 0; step += 1) {
    if (step > 20_000) throw new Error(`not drained: ${JSON.stringify(intake.state)}`);
    producer.step();
    if (step % 10 === 0) await time.run(100);
  }
}

/** Each value once, where it came first, by lane: what a lane makes of repeats. */
function firstOf(log: FlakyLog): Map<string, string[]> {
  const lanes = new Map<string, string[]>();
  for (const value of new Set(log.partitions.flat())) {
    const lane = value.split('/')[0] ?? '';
    lanes.set(lane, [...(lanes.get(lane) ?? []), value]);
  }
  return lanes;
}

type Act =
  'call' | 'log' | 'away' | 'back' | 'kill' | 'power' | 'full' | 'room' | 'no sync' | 'sync' | 'wait';
const acts = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.constant<Act>('call') },
    { weight: 24, arbitrary: fc.constant<Act>('log') },
    { weight: 2, arbitrary: fc.constant<Act>('wait') },
    {
      weight: 4,
      arbitrary: fc.constantFrom<Act>('away', 'back', 'kill', 'power', 'full', 'room', 'no sync', 'sync'),
    },
  ),
  { minLength: 50, maxLength: 300 },
);

test('whatever becomes of log, disk and process: what was acknowledged is on the log, and its lane in order', async () => {
  const seen = { acknowledged: 0, refused: 0, spooled: 0, killed: 0 };
  await fc.assert(
    fc.asyncProperty(acts, fc.nat(), async (script, seed) => {
      const random = new Random(seed);
      const at = world(seed);
      let { files } = at;
      const { log, time } = at;
      let gateway = await start({ files, log, time });
      const calls: { readonly values: readonly string[]; readonly told: Promise<boolean> }[] = [];
      let [number, life] = [0, 0];
      const call = (): void => {
        const lanes = Array.from({ length: 1 + random.below(3) }, () => `lane${String(random.below(4))}`);
        const values = lanes.map((lane) => `${lane}/${String(number++).padStart(6, '0')}`);
        const born = life;
        const told = gateway.intake
          .take(records(values.map((value) => [value.split('/')[0] ?? '', value])))
          .then(
            () => born === life, // a process that is gone tells nobody
            () => false,
          );
        calls.push({ values, told });
      };
      const restart = async (): Promise<void> => {
        life += 1;
        seen.killed += 1;
        gateway.producer.step(); // what was under way may arrive
        gateway = await start({ files, log, time });
      };
      for (const act of script) {
        if (act === 'call') call();
        else if (act === 'log') gateway.producer.step();
        else if (act === 'away') log.isAway = true;
        else if (act === 'back') log.isAway = false;
        else if (act === 'full') files.room = random.below(500);
        else if (act === 'room') files.room = Infinity;
        else if (act === 'no sync') files.failsToSync = true;
        else if (act === 'sync') files.failsToSync = false;
        else if (act === 'wait') await time.run(500);
        else {
          await turn();
          files = act === 'power' ? files.afterPowerFailure(() => random.next()) : files.afterKill();
          files.isPrompt = true;
          files.room = Infinity;
          files.failsToSync = false;
          await restart();
        }
        if (gateway.intake.state.state === 'spooling') seen.spooled += 1;
        if (random.chance(0.2)) await turn();
      }
      log.isAway = false;
      files.room = Infinity;
      files.failsToSync = false;
      await untilDrained(gateway, time);
      await gateway.intake.close();
      const lanes = firstOf(log);
      const acknowledged = new Set<string>();
      for (const { values, told } of calls) {
        const isKept = await Promise.race([told, turn().then(() => false)]);
        seen[isKept ? 'acknowledged' : 'refused'] += 1;
        if (isKept) for (const value of values) acknowledged.add(value);
      }
      const found = new Set(log.partitions.flat());
      expect([...acknowledged].filter((value) => !found.has(value))).toEqual([]);
      for (const values of lanes.values()) {
        const sure = values.filter((value) => acknowledged.has(value));
        expect(sure).toEqual(sure.toSorted());
      }
      expect(files.list('/spool').filter((name) => name.endsWith('.spool'))).toEqual([]);
    }),
    { numRuns: runs(60) },
  );
  // The test says something only if all of this happened.
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(0);
});

describe('a log that is away', () => {
  test('is waited for, then the disk keeps what waits and what comes, and calls are answered', async () => {
    const at = world();
    at.log.isAway = true;
    const gateway = await start(at);
    const first = gateway.intake.take(record('a', 'a/1'));
    await at.time.run(3_200);
    await first;
    await gateway.intake.take(record('a', 'a/2'));
    expect(gateway.intake.health).toMatchObject({ ok: true });
    expect(gateway.intake.state).toMatchObject({ state: 'spooling', queued_records: 0 });
    expect(gateway.intake.state.spooled_bytes).toBeGreaterThan(0);
    at.log.isAway = false;
    await untilDrained(gateway, at.time);
    expect(firstOf(at.log).get('a')).toEqual(['a/1', 'a/2']);
    expect(gateway.intake.state).toMatchObject({ state: 'direct', spooled_bytes: 0 });
    expect(gateway.intake.health).toEqual({ ok: true });
    await gateway.intake.close();
  });

  test('and then loses some of what it is sent has all of it in the end', async () => {
    const at = world(7);
    at.log.isAway = true;
    const gateway = await start(at);
    const values = Array.from({ length: 1900 }, (_, index) => `lane${String(index % 40)}/${String(index)}`);
    const call = gateway.intake.take(records(values.map((value) => [value.split('/')[0] ?? '', value])));
    await at.time.run(3_200);
    await call;
    at.log.isAway = false;
    await untilDrained(gateway, at.time);
    expect(new Set(at.log.partitions.flat())).toEqual(new Set(values));
    await gateway.intake.close();
  });

  test('with a full disk: the call is refused, and the gateway says that it keeps nothing', async () => {
    const at = world();
    at.log.isAway = true;
    const gateway = await start(at);
    at.files.room = 0;
    const call = gateway.intake.take(record('a', 'a/1'));
    const refused = expect(call).rejects.toMatchObject({ code: 'spool_failed', retryable: true });
    await at.time.run(3_200);
    await refused;
    expect(gateway.intake.health.ok).toBe(false);
    at.files.room = Infinity;
    const next = gateway.intake.take(record('a', 'a/2'));
    await at.time.run(3_200);
    await next;
    expect(gateway.intake.health.ok).toBe(true);
    await gateway.intake.close();
  });

  test('a control call waits for the disk to be drained, and is refused after its time', async () => {
    const at = world();
    at.log.isAway = true;
    const gateway = await start(at, { controlWaitMs: 5_000 });
    void gateway.intake.take(record('a', 'a/1'));
    await at.time.run(3_200);
    const late = expect(gateway.intake.untilOnLog()).rejects.toMatchObject({
      code: 'log_behind',
      retryable: true,
    });
    await at.time.run(5_100);
    await late;
    const second = gateway.intake.untilOnLog();
    at.log.isAway = false;
    await untilDrained(gateway, at.time);
    await second;
    await gateway.intake.close();
  });

  test('a workspace that floods has its share of the queue and of the disk, and others go on', async () => {
    const at = world();
    at.log.isAway = true;
    const limits = { ...queueLimits, bytesMax: 4_000, workspaceBytesMax: 2_000 };
    const gateway = await start(at, { limits, bytesMax: 8_000, workspaceShare: 0.5 });
    const other = toWorkspace('other');
    const codes: string[] = [];
    for (let count = 0; count < 200; count += 1) {
      const told = gateway.intake.take(record('a', `a/${String(count)}`.padEnd(100, '.')));
      told.catch((error: unknown) => codes.push((error as { code: string }).code));
      if (count % 5 === 0) await turn();
    }
    await turn();
    expect(new Set(codes)).toEqual(new Set(['spool_share_full']));
    expect(gateway.intake.health.ok).toBe(true);
    await gateway.intake.take(record('b', 'b/1', other));
    expect(gateway.intake.state.spooled_bytes).toBeLessThanOrEqual(4_000 + 200);
    at.log.isAway = false;
    await untilDrained(gateway, at.time);
    expect(firstOf(at.log).get('b')).toEqual(['b/1']);
    expect(firstOf(at.log).get('a')?.length).toBe(200 - codes.length);
    await gateway.intake.close();
  });

  test('a workspace that floods with very small events leaves others room in the queue', async () => {
    const at = world();
    at.log.isAway = true;
    at.files.isPrompt = false;
    const limits = { ...queueLimits, recordsMax: 100, workspaceRecordsMax: 50 };
    const gateway = await start(at, { limits });
    const codes: unknown[] = [];
    const take = (lane: string, workspace = shop) => {
      gateway.intake.take(record(lane, `${lane}/1`, workspace)).catch((error: unknown) => {
        codes.push((error as { code: string }).code);
      });
    };
    for (let count = 0; count < 120; count += 1) take(`a${String(count)}`);
    await turn();
    expect(codes).toEqual(Array(70).fill('queue_full'));
    for (let count = 0; count < 50; count += 1) take(`b${String(count)}`, toWorkspace('other'));
    await turn();
    expect(codes).toHaveLength(70);
    expect(gateway.intake.state.queued_records).toBe(100);
    at.files.isPrompt = true;
    while (at.files.syncs > 0) at.files.endSync(() => 0);
    at.log.isAway = false;
    await untilDrained(gateway, at.time);
    expect(firstOf(at.log).size).toBe(100);
    await gateway.intake.close();
  });
});

import { describe, expect, test } from '@jest/globals';
import { activity } from '../../schemas/activity.ts';
import { collectedEvent } from './collected-event.ts';
import { ProcessorHarness, given, of } from './processor-harness.ts';
import { toyService, toyTimerMs } from './toy/toy-service.ts';

function event(lane: string, messageId: string, receivedAt: number) {
  return given('eventsCollected', lane, collectedEvent({ message_id: messageId, received_at: receivedAt }));
}

describe('the processor harness', () => {
  test('feeds records batch by batch and decodes what comes out', () => {
    const harness = new ProcessorHarness(toyService);
    const first = harness.batch(1_000, event('w:a:1', 'm1', 1_000), event('w:a:1', 'm2', 1_000));
    expect(of('activitiesLogged', first).map((output) => output.value.detail)).toEqual([
      '{"count":1,"settings":0}',
      '{"count":2,"settings":0}',
    ]);
    expect(harness.idle(1_000)).toEqual([]);
    const fired = harness.idle(1_000 + toyTimerMs);
    expect(
      of('activitiesLogged', fired).map((output) => [output.value.kind, output.value.message_id]),
    ).toEqual([
      ['timer', 'm1'],
      ['timer', 'm2'],
    ]);
  });

  test('replays to the same outputs, also when the processor is made anew before each batch', () => {
    const harness = new ProcessorHarness(toyService);
    harness.batch(1_000, event('w:a:1', 'm1', 1_000));
    harness.define('workspace', 'default', 'default', {}).batch(1_500, event('w:a:1', 'm2', 1_400));
    harness.reopen();
    harness.batch(4_000, event('w:a:2', 'm3', 3_900));
    expect(harness.replay()).toEqual(harness.outputs);
    expect(harness.replay({ reopenEachBatch: true })).toEqual(harness.outputs);
    expect(harness.outputs.length).toBe(5);
  });

  test('goes on after a crash from what was flushed, and notices a batch that then comes to something else', () => {
    const harness = new ProcessorHarness(toyService);
    harness.batch(1_000, event('w:a:1', 'm1', 1_000));
    harness.flush();
    harness.define('workspace', 'default', 'default', {}).batch(1_500, event('w:a:1', 'm2', 1_400));
    harness.crash();
    harness.batch(1_600, event('w:a:1', 'm3', 1_500));
    expect(harness.replay()).toEqual(harness.outputs);

    const forgetful = new ProcessorHarness({ ...toyService, open: openForgetful });
    forgetful.batch(1_000, event('w:a:1', 'm1', 1_000));
    forgetful.flush();
    forgetful.batch(1_100, event('w:a:1', 'm2', 1_000));
    expect(() => {
      forgetful.crash();
    }).toThrow('puts out the same after a crash');
  });

  test('shows state that a processor keeps outside its stores', () => {
    const forgetful = { ...toyService, open: openForgetful };
    const harness = new ProcessorHarness(forgetful);
    harness.batch(1_000, event('w:a:1', 'm1', 1_000));
    harness.batch(1_100, event('w:a:1', 'm2', 1_000));
    expect(harness.replay({ reopenEachBatch: true })).not.toEqual(harness.outputs);
  });
});

/** Counts in memory only. */
const openForgetful: typeof toyService.open = (partition, partitions, stores, codecs) => {
  const processor = toyService.open(partition, partitions, stores, codecs);
  let count = 0;
  return Object.assign(Object.create(processor) as typeof processor, {
    onRecord: (...[record, , out]: Parameters<typeof processor.onRecord>) => {
      count += 1;
      out.emit('activitiesLogged', 'w:a:1', codecs.Activity.encode(harnessActivity(count)));
      expect(record.offset).toBeGreaterThanOrEqual(0);
    },
    onBatchEnd: () => undefined,
  });
};

function harnessActivity(count: number) {
  return activity({ workspace: 'w', kind: 'counted', timestamp: 0, detail: String(count) });
}

import { describe, expect, test } from '@jest/globals';
import { localCodecs } from '../../../schemas/codec.ts';
import { MemoryBroker } from '../memory/memory-broker.ts';
import { toyService } from '../toy/toy-service.ts';
import { VirtualTime } from '../virtual-time.ts';
import { notReached } from './refusal.ts';

const codecs = localCodecs();

/** Two partitions of one task, four batches; batch n reads offset n - 1 of partition 1. */
function broker(tasks = 1): MemoryBroker {
  const made = new MemoryBroker(new VirtualTime(), 2);
  for (let sequence = 1; sequence <= 4; sequence += 1) {
    made.append([{ topic: 'eventsCollected', partition: 1, key: null, value: null }]);
    const value = codecs.BatchRecord.encode({
      batch_id: '',
      service: 'merger',
      task: 0,
      layout: 1,
      tasks,
      sequence,
      time: 0,
      definitions_offset: 0,
      decider_version: 1,
      ranges: [{ topic: 'events.collected', partition: 1, from: sequence - 1, to: sequence }],
      outputs: [],
      dead_letters: [],
    });
    made.append([{ topic: 'mergerJournal', partition: 0, key: null, value }]);
  }
  return made;
}

function judged(of: MemoryBroker, marks: readonly number[]): readonly number[] {
  const markOf = (partition: number): number => marks[partition] ?? 0;
  return notReached({ broker: of, codecs, spec: toyService, task: 0, tasks: 1, markOf });
}

describe('a partition reaches back', () => {
  test('from any batch, and from nothing, while everything is there', () => {
    expect(judged(broker(), [0, 4])).toEqual([]);
    expect(judged(broker(), [2, 0])).toEqual([]);
  });
  test('not from before what is left of the journal', () => {
    const of = broker();
    of.expire('mergerJournal', 0, 2);
    expect(judged(of, [1, 2])).toEqual([0]);
    expect(judged(of, [2, 0])).toEqual([1]);
  });
  test('not from before what is left of its own input', () => {
    const of = broker();
    of.expire('eventsCollected', 1, 3);
    expect(judged(of, [0, 2])).toEqual([1]);
    expect(judged(of, [0, 3])).toEqual([]);
  });
  test('not over the batches of a task that had not had it', () => {
    expect(judged(broker(2), [0, 2])).toEqual([1]);
  });
  test('with no batch left, from one place only, and not from nothing', () => {
    const of = broker();
    of.expire('mergerJournal', 0, 4);
    expect(judged(of, [4, 4])).toEqual([]);
    expect(judged(of, [4, 3])).toEqual([1]);
    expect(judged(of, [0, 0])).toEqual([0, 1]);
    expect(judged(new MemoryBroker(new VirtualTime(), 2), [0, 0])).toEqual([]);
  });
});

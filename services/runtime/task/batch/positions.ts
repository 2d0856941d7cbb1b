/** Next offset to be fed, for each input partition of a task. */
import { topicIds, topics, type TopicId } from '../../../../schemas/topics.ts';
import { CodedError, assert } from '../../errors.ts';
import type { Position } from '../../log/ports.ts';

export class Positions {
  readonly inputs: readonly TopicId[];
  readonly partitions: readonly number[];
  readonly #next = new Map<TopicId, Map<number, number>>();

  constructor(inputs: readonly TopicId[], partitions: readonly number[]) {
    this.inputs = inputs;
    this.partitions = partitions;
    for (const topic of inputs) this.#next.set(topic, new Map());
  }

  /** Undefined before the first `set`. */
  find(topic: TopicId, partition: number): number | undefined {
    return this.#next.get(topic)?.get(partition);
  }

  next(topic: TopicId, partition: number): number {
    const next = this.find(topic, partition);
    assert(next !== undefined, `position of ${topic} ${String(partition)} is known`);
    return next;
  }

  set(topic: TopicId, partition: number, next: number): void {
    const known = this.find(topic, partition);
    assert(
      known === undefined || next >= known,
      `position of ${topic} ${String(partition)} does not go back`,
    );
    const ofTopic = this.#next.get(topic);
    assert(ofTopic !== undefined, `${topic} is an input`);
    ofTopic.set(partition, next);
  }

  /** To where a batch began that is taken back. */
  takeBackTo(positions: readonly Position[]): void {
    for (const { topic, partition, offset } of positions) this.#next.get(topic)?.set(partition, offset);
  }

  *all(): Generator<Position> {
    for (const topic of this.inputs) {
      for (const partition of this.partitions) {
        const offset = this.find(topic, partition);
        if (offset !== undefined) yield { topic, partition, offset };
      }
    }
  }
}

const idByName = new Map<string, TopicId>(topicIds.map((id) => [topics[id].name, id]));

/** The topic of a journaled range. */
export function topicIdOf(name: string): TopicId {
  const id = idByName.get(name);
  if (id === undefined)
    throw new CodedError('topic_unknown', `could not read a journal record: no topic ${name}`);
  return id;
}

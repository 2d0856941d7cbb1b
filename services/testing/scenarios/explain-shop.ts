/** A workspace of which it is asked why somebody is in a segment, and what a journey would do with them. */
import { localCodecs } from '../../../schemas/codec.ts';
import { Answers, type Asked } from '../../trigger/answers.ts';
import { triggerServiceWith } from '../../trigger/service.ts';
import { ProcessorHarness, type Given } from '../processor-harness.ts';
import { T0 } from './trigger-scenario.ts';

/** One partition that has everybody. */
export class Shop {
  readonly harness: ProcessorHarness;
  readonly #answers = new Answers(1);
  #time = T0;

  constructor() {
    const spec = triggerServiceWith({
      onOpened: (partition, processor) => {
        this.#answers.opened(partition, processor);
      },
    });
    this.harness = new ProcessorHarness(spec, { partitions: 1, codecs: localCodecs() });
  }

  segment(id: string, when: unknown): this {
    this.harness.define('segment', 'default', id, { name: id, type: 'data_driven', when });
    return this;
  }
  journey(id: string, trigger: unknown, rest: object = {}): this {
    this.harness.define('journey', 'default', id, { name: id, state: 'running', trigger, ...rest });
    return this;
  }
  feed(...records: readonly Given[]): this {
    this.#time += 1;
    this.harness.batch(this.#time, ...records);
    this.harness.idle(this.#time);
    return this;
  }
  why(kind: Asked['kind'], ruleId: string, more: Partial<Asked> = {}) {
    const asked = { workspace: 'default', kind, ruleId, personId: 'cio_a', key: null, at: null, ...more };
    return this.#answers.explain(asked);
  }
  past(ruleKey: string, version: number) {
    return this.#answers.past({ workspace: 'default', ruleKey, version });
  }
  explained(kind: Asked['kind'], ruleId: string, more: Partial<Asked> = {}): Record<string, unknown> {
    const answered = this.why(kind, ruleId, more);
    if (answered.type !== 'explained') throw new Error(answered.type);
    return { ...answered.explained };
  }
}

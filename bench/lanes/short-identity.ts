/** Identity in short: the first claim of an anonymous id is granted, and everybody is known at once. Never measured. */
import type { Codecs } from '../../schemas/codec.ts';
import { identityDecision } from '../../schemas/identity-decision.ts';
import { partitionOf } from '../../schemas/partitioner.ts';
import { frameOf, type Frame, type Part } from './frames.ts';

export class ShortIdentity {
  readonly #codecs: Codecs;
  readonly #partitions: number;
  readonly #owners = new Map<string, string>();
  #answers: Part[] = [];
  #claims = 0;

  constructor(codecs: Codecs, partitions: number) {
    this.#codecs = codecs;
    this.#partitions = partitions;
  }

  get claims(): number {
    return this.#claims;
  }
  get owesAnswers(): boolean {
    return this.#answers.length > 0;
  }

  /** What has been answered since it was last asked. */
  answers(time: number): Frame {
    const frame = frameOf('identityDecisions', this.#answers, time);
    this.#answers = [];
    return frame;
  }

  take(bytes: Buffer): void {
    const request = this.#codecs.IdentityRequest.decode(bytes);
    const lane = request.lane ?? '';
    const person = `cio_${request.identifier ?? ''}`;
    const owner = this.#owners.get(lane);
    const granted = request.kind === 'claim' && owner === undefined;
    if (granted) {
      this.#owners.set(lane, person);
      this.#claims += 1;
    }
    const decision = identityDecision({
      kind: granted ? 'granted' : 'resolved',
      workspace: request.workspace,
      lane,
      request_number: request.request_number,
      person_id: person,
      claimed_at: granted ? request.received_at : null,
      reason: granted || owner === person ? null : 'anonymous_id_taken',
    });
    const value = this.#codecs.IdentityDecision.encode(decision);
    this.#answers.push([partitionOf(lane, this.#partitions), Buffer.from(lane), value]);
  }
}

/** The event of the record that a view shows, as deciders ask for it: texts are made when somebody asks, and once. */
import { assert } from '../runtime/errors.ts';
import type { PersonEvent } from './decide/decide.ts';
import type { Known } from './decide/profile.ts';
import type { Rule } from './decide/workspace-rules.ts';
import type { MergedView } from './merged-view.ts';

/** Valid until the view takes another record. */
export class ViewedEvent implements PersonEvent {
  readonly type: PersonEvent['type'];
  readonly name: string | null;
  readonly timestamp: number;
  readonly receivedAt: number;
  readonly mergedAt: number;
  readonly previouslyAnonymous: boolean;
  readonly known: Known | null;
  readonly counts: ((rule: Rule) => boolean) | undefined;
  readonly #view: MergedView;
  #messageId: string | undefined;
  #anonymousId: string | null | undefined;
  #details: ReturnType<MergedView['details']> | undefined;

  /** @param counts see PersonEvent. */
  constructor(view: MergedView, counts: ((rule: Rule) => boolean) | undefined) {
    const { type } = view;
    assert(type !== 'object', 'what is said of an object by itself is no event of a person');
    this.type = type;
    this.name = view.name;
    this.timestamp = view.timestamp;
    this.receivedAt = view.receivedAt;
    this.mergedAt = view.mergedAt;
    this.previouslyAnonymous = view.previouslyAnonymous;
    this.known = knownOf(view);
    this.counts = counts;
    this.#view = view;
  }

  get messageId(): string {
    return (this.#messageId ??= this.#view.messageId);
  }
  get anonymousId(): string | null {
    if (this.#anonymousId === undefined) this.#anonymousId = this.#view.anonymousId;
    return this.#anonymousId;
  }
  get byCioId(): boolean {
    return this.#view.identifierKind === 'cio_id';
  }
  details(): ReturnType<MergedView['details']> {
    return (this.#details ??= this.#view.details());
  }
}

/** What identity says of the person; null: it was not asked about this record. */
export function knownOf(view: MergedView): Known | null {
  const { knownAsOf: asOf } = view;
  return asOf === null ? null : { asOf, id: view.knownId, email: view.knownEmail };
}

/**
 * Asks whether all has come of those whose records are forwarded to a person before a timer of that person runs, and
 * answers others who ask (followed.ts says why).
 */
import type { KeyedStore } from '../runtime/store/ports.ts';
import type { Emitter } from '../runtime/task/ports.ts';
import { workspaceIn } from '../runtime/workspace-counts.ts';
import type { Codecs } from '../../schemas/codec.ts';
import { FollowedBook, type Question } from './followed.ts';
import { whoseOf } from './outputs.ts';
import type { PeopleStore } from './people-store.ts';
import type { TimerIndex } from './timers.ts';
import { TransferWriter } from './transfers.ts';

/** Of a longer chain of merges the first are not waited for: each takes a batch of another partition. */
const hopsMax = 16;
/** Who is to be forgotten is looked for so rarely. */
const BATCHES_A_LOOK = 256;

export interface ForwardingParts {
  readonly store: KeyedStore;
  readonly codecs: Codecs;
  readonly people: PeopleStore;
  readonly timers: TimerIndex;
  /** Everything of the workspace that was received before it has been handled, ms. */
  readonly readTo: (workspace: string) => number;
  /** Records of the person wait, own ones or forwarded ones. */
  readonly waits: (personKey: string) => boolean;
}

export class Forwarding {
  readonly #parts: ForwardingParts;
  readonly #book: FollowedBook;
  readonly #transfers: TransferWriter;

  constructor(parts: ForwardingParts) {
    this.#parts = parts;
    this.#book = new FollowedBook(parts.store);
    this.#transfers = new TransferWriter(parts.codecs);
  }

  get unsettled(): number {
    return this.#book.unsettled;
  }

  /** Timers of the person up to then may run, ms; Infinity: whatever was read. */
  to(personKey: string): number {
    return this.#book.people === 0 ? Infinity : this.#book.to(personKey);
  }

  follow(personKey: string, from: string, at: number): void {
    this.#book.follow(personKey, from, at);
    this.#arm(personKey);
  }
  forget(personKey: string): void {
    this.#book.forget(personKey);
  }

  /** A timer of the person is due. True where it waits for answers: it is armed again when they are here. */
  holdsBack(personKey: string, at: number, out: Emitter): boolean {
    return at > this.to(personKey) && this.#asks(personKey, 1, out);
  }

  /** Somebody asks; the end of the batch answers, if it can. */
  asked(question: Question, out: Emitter): void {
    if (!this.#book.question(question)) this.#answer(question, out);
  }

  answered({ personKey, by, to }: Question): void {
    if (this.#book.answered(personKey, by, to)) this.#arm(personKey);
  }

  /** The end of a batch: whatever it forwards has been forwarded. @param time all that was received before has been read, ms. */
  step(time: number, sequence: number, out: Emitter): void {
    if (this.#book.questions > 0) {
      const answerable = this.#book.takeAnswerable((question) => this.#isForwarded(question, out));
      for (const question of answerable) this.#answer(question, out);
    }
    if (this.#book.people === 0 || sequence % BATCHES_A_LOOK !== 0) return;
    for (const personKey of this.#book.forgetOld(time)) this.#arm(personKey);
  }

  #isForwarded({ personKey, to, hops }: Question, out: Emitter): boolean {
    const { readTo, waits } = this.#parts;
    if (readTo(workspaceIn(personKey)) < to || waits(personKey)) return false;
    return to <= this.to(personKey) || hops >= hopsMax || !this.#asks(personKey, hops + 1, out);
  }

  /** False where nobody is to be asked any more. */
  #asks(personKey: string, hops: number, out: Emitter): boolean {
    const { workspace, personId: by } = whoseOf(personKey);
    const to = this.#parts.readTo(workspace);
    const of = this.#book.ask(personKey, to);
    for (const personId of of ?? []) {
      const question = { personKey: `${workspace}:${personId}`, by, to, hops };
      this.#transfers.toldOfForwarding('question', question, out);
    }
    return of !== undefined;
  }

  #answer({ personKey, by, to }: Question, out: Emitter): void {
    const { workspace, personId } = whoseOf(personKey);
    const answer = { personKey: `${workspace}:${by}`, by: personId, to, hops: 0 };
    this.#transfers.toldOfForwarding('answer', answer, out);
  }

  /** The person's timer stands where their state says so: it was taken out when it was due. */
  #arm(personKey: string): void {
    const { people, timers } = this.#parts;
    const person = people.peek(personKey);
    if (person !== undefined) timers.move(personKey, Infinity, person.timerAt);
  }
}

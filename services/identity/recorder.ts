/**
 * Takes down what the decisions of one request bring: numbers the facts, folds them into the graph, and emits them and
 * what follows from them. A later decision of the same request sees the graph with the facts of the earlier ones.
 */
import { activity } from '../../schemas/activity.ts';
import type { Codecs } from '../../schemas/codec.ts';
import { droppedEvent } from '../../schemas/dropped-event.ts';
import { identityDecision } from '../../schemas/identity-decision.ts';
import type { IdentityDecision, IdentityFact, IdentityRequest } from '../../schemas/records.ts';
import type { Emitter } from '../runtime/task/ports.ts';
import { evolve } from './decide/evolve.ts';
import type { WorkspaceGraph } from './graph/graph.ts';
import type { MembershipOutcome } from './decide/decide-membership.ts';
import type { Drop, FactDraft, Note, Outcome } from './decide/outcome.ts';
import {
  activityOf,
  changeOf,
  knownOf,
  mergedOf,
  newsOf,
  nothingKnown,
  peopleOf,
} from './decide/projections.ts';

const STAGE = 'identity';

/** What an answer says beside whom it goes to. */
export type Reply = Pick<IdentityDecision, 'kind'> &
  Partial<Pick<IdentityDecision, 'person_id' | 'claimed_at' | 'person_created' | 'reason' | 'detail'>>;

export interface RecorderPorts {
  readonly codecs: Codecs;
  readonly partitions: number;
  readonly out: Emitter;
}

export class Recorder {
  readonly #graph: WorkspaceGraph;
  readonly #request: IdentityRequest;
  readonly #ports: RecorderPorts;
  readonly #touched = new Set<string>();
  /** Facts whose records of people's streams wait for the facts behind them. */
  readonly #splits: IdentityFact[] = [];
  #lastFact: number | null = null;

  constructor(graph: WorkspaceGraph, request: IdentityRequest, ports: RecorderPorts) {
    this.#graph = graph;
    this.#request = request;
    this.#ports = ports;
  }

  /** Number of the last fact taken down for this request. */
  get lastFact(): number | null {
    return this.#lastFact;
  }

  outcome({ facts, notes, drops }: Outcome): void {
    this.facts(facts);
    this.notes(notes);
    for (const drop of drops) this.#drop(drop);
  }

  /** No facts: who is whom stays as it is, and each one's stream is told. */
  membership({ records, drops }: MembershipOutcome): void {
    const { codecs, out } = this.#ports;
    for (const merged of records) {
      out.emit('eventsMerged', `${merged.workspace}:${merged.person_id}`, codecs.MergedEvent.encode(merged));
    }
    for (const drop of drops) this.#drop(drop);
  }

  facts(drafts: readonly FactDraft[]): void {
    for (const draft of drafts) this.#fact(this.#numbered(draft));
  }

  notes(notes: readonly Note[]): void {
    for (const { kind, personId, detail } of notes) this.#activity(kind, personId, detail);
  }

  /** Answers the lane. Without a lane nobody asked. */
  reply(answer: Reply): void {
    const { workspace, lane, request_number, identifier_kind, identifier } = this.#request;
    if (lane === null) return;
    const known = answer.person_id ? knownOf(this.#graph.person(answer.person_id)) : nothingKnown;
    const decision = identityDecision({
      kind: answer.kind,
      workspace,
      lane,
      request_number,
      person_id: answer.person_id,
      claimed_at: answer.claimed_at,
      person_created: answer.person_created,
      identifier_kind,
      identifier,
      reason: answer.reason,
      fact_number: this.#lastFact,
      detail: answer.detail,
      known_as_of: known.known_as_of,
      known_id: known.known_id,
      known_email: known.known_email,
    });
    this.#ports.out.emit('identityDecisions', lane, this.#ports.codecs.IdentityDecision.encode(decision));
  }

  /** Once, after all decisions: the graph is written, and each person whom they changed is told of, whole. */
  finish(): void {
    this.#graph.rows.flush();
    for (const split of this.#splits) this.#streams(split);
    const { codecs, out } = this.#ports;
    const { workspace, received_at: at } = this.#request;
    for (const personId of this.#touched) {
      const person = this.#graph.person(personId);
      if (person === undefined) continue;
      const value = codecs.PersonChange.encode(changeOf(workspace, person, at));
      out.emit('peopleChanged', `${workspace}:${personId}:graph`, value);
    }
  }

  #numbered(draft: FactDraft): IdentityFact {
    const { workspace, received_at, lane, message_id } = this.#request;
    return {
      number: this.#graph.rows.counters().facts + 1,
      workspace,
      kind: draft.kind,
      at: received_at,
      person_id: draft.personId,
      other_person_id: draft.otherPersonId ?? null,
      identifier_kind: draft.identifier?.kind ?? 'none',
      identifier: draft.identifier?.value ?? null,
      lane,
      message_id,
      detail: draft.detail === undefined ? null : JSON.stringify(draft.detail),
    };
  }

  #fact(fact: IdentityFact): void {
    const { codecs, out, partitions } = this.#ports;
    evolve(this.#graph.rows, fact);
    this.#lastFact = fact.number;
    for (const personId of peopleOf(fact)) this.#touched.add(personId);
    out.emit('identityLog', fact.workspace, codecs.IdentityFact.encode(fact));
    if (fact.kind === 'person_split') this.#splits.push(fact);
    else this.#streams(fact);
    const news = newsOf(fact);
    if (news !== null) {
      const value = codecs.IdentityDecision.encode(news);
      for (let partition = 0; partition < partitions; partition += 1) {
        out.emitTo('identityDecisions', partition, fact.workspace, value);
      }
    }
    const logged = activityOf(fact);
    if (logged !== null) this.#activity(logged.kind, logged.personId, logged.detail);
  }

  #streams(fact: IdentityFact): void {
    const { codecs, out } = this.#ports;
    for (const merged of mergedOf(fact, (personId) => this.#graph.person(personId))) {
      out.emit('eventsMerged', `${merged.workspace}:${merged.person_id}`, codecs.MergedEvent.encode(merged));
    }
  }

  #activity(kind: string, personId: string | null, detail: object): void {
    const { workspace, lane, received_at, message_id, anonymous_id } = this.#request;
    const key = personId === null ? (lane ?? workspace) : `${workspace}:${personId}`;
    const line = activity({
      workspace,
      kind,
      person_id: personId,
      anonymous_id,
      timestamp: received_at,
      processed_at: received_at,
      message_id,
      detail: JSON.stringify(detail),
    });
    this.#ports.out.emit('activitiesLogged', key, this.#ports.codecs.Activity.encode(line));
  }

  #drop({ reason, personId, detail }: Drop): void {
    const { workspace, received_at, message_id, anonymous_id } = this.#request;
    const row = droppedEvent({
      workspace,
      reason,
      stage: STAGE,
      at: received_at,
      message_id,
      anonymous_id,
      person_id: personId,
      detail: JSON.stringify(detail),
    });
    this.#ports.out.emit('eventsDropped', workspace, this.#ports.codecs.DroppedEvent.encode(row));
  }
}

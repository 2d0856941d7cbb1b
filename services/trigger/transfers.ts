/** What one person's partition sends to that of another, on trigger.transfers: a state that moves, records that follow it. */
import type { Codecs } from '../../schemas/codec.ts';
import type { Transfer } from '../../schemas/records.ts';
import type { Emitter } from '../runtime/task/ports.ts';
import type { Moved } from './decide/merge.ts';
import type { Person } from './decide/state.ts';
import type { Question } from './followed.ts';
import { whoseOf, type Whose } from './outputs.ts';
import { encodeMoved } from './transfer-state.ts';

type Into = NonNullable<Person['absorbedBy']>;

/** A value of events.merged and where it came from. */
export interface Source {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly originPartition: number;
  readonly originOffset: number;
  /** Number of the merge that it was forwarded for; null: the person's own. */
  readonly forwardedFact: number | null;
}

export class TransferWriter {
  readonly #codecs: Codecs;

  constructor(codecs: Codecs) {
    this.#codecs = codecs;
  }

  state(whose: Whose, into: Into, moved: Moved, out: Emitter): void {
    for (const state of encodeMoved(moved)) this.#write(whose, into, { kind: 'state', state }, out);
  }

  record(whose: Whose, into: Into, source: Source, out: Emitter): void {
    const record = source.bytes.subarray(source.start, source.end);
    const origin = { origin_partition: source.originPartition, origin_offset: source.originOffset };
    this.#write(whose, into, { kind: 'record', record, ...origin }, out);
  }

  /** Whether all of the person's was forwarded that was received before `to`, ms; or that it was. */
  toldOfForwarding(kind: 'question' | 'answer', { by, personKey, to, hops }: Question, out: Emitter): void {
    const { workspace, personId } = whoseOf(personKey);
    this.#write(
      { workspace, personId: by },
      { personId, factNumber: null },
      { kind, state: JSON.stringify({ to, hops }) },
      out,
    );
  }

  #write(
    { workspace, personId }: Pick<Whose, 'workspace' | 'personId'>,
    into: { readonly personId: string; readonly factNumber: number | null },
    what: Pick<Transfer, 'kind'> & Partial<Transfer>,
    out: Emitter,
  ): void {
    const value = this.#codecs.Transfer.encode({
      workspace,
      person_id: into.personId,
      from_person_id: personId,
      fact_number: into.factNumber,
      origin_partition: null,
      origin_offset: null,
      state: null,
      record: null,
      ...what,
    });
    out.emit('triggerTransfers', `${workspace}:${into.personId}`, value);
  }
}

/** What a transfer asks or answers. */
export function questionIn({
  workspace,
  person_id: personId,
  from_person_id: by,
  state,
}: Transfer): Question {
  const { to, hops } = JSON.parse(state ?? '{}') as Pick<Question, 'to' | 'hops'>; // written by toldOfForwarding
  return { personKey: `${workspace}:${personId}`, by: by ?? '', to, hops };
}

/** The record of events.merged that a transfer carries. */
export function sourceOf(transfer: Transfer, record: Buffer): Source {
  return {
    bytes: record,
    start: 0,
    end: record.length,
    originPartition: transfer.origin_partition ?? -1,
    originOffset: transfer.origin_offset ?? -1,
    forwardedFact: transfer.fact_number,
  };
}

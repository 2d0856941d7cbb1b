/** Words for the trigger's tests: people's streams as sentences, outputs as lines. */
import { mergedEvent, watermarkRecord } from '../../../schemas/merged-event.ts';
import type { MergedEvent } from '../../../schemas/records.ts';
import { collectedEvent } from '../collected-event.ts';
import { ProcessorHarness, given, of, type Given, type Output } from '../processor-harness.ts';
import type { Known } from '../../trigger/decide/profile.ts';
import { triggerService } from '../../trigger/service.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** A Monday in the past; tests count from here. */
export const T0 = Date.UTC(2026, 0, 5, 12);

export interface Happened {
  readonly person?: string;
  readonly name?: string;
  readonly type?: 'event' | 'page' | 'screen' | 'identify';
  readonly id?: string;
  /** When it was received, and merged unless `mergedAt` says later. */
  readonly at?: number;
  readonly timestamp?: number;
  readonly mergedAt?: number;
  readonly anonymousId?: string | null;
  readonly previouslyAnonymous?: boolean;
  readonly properties?: object | null;
  /** What identity says of the person with it. */
  readonly known?: Known;
  readonly fields?: Partial<ReturnType<typeof collectedEvent>>;
}

let messages = 0;

/** A record of a person's stream. */
export function happened(what: Happened): Given<'eventsMerged'> {
  const { person = 'cio_a', at = T0, type = 'event' } = what;
  const event = collectedEvent({
    type,
    name: type === 'identify' ? null : (what.name ?? 'Added to Cart'),
    message_id: what.id ?? `m${String((messages += 1))}`,
    received_at: at,
    timestamp: what.timestamp ?? at,
    anonymous_id: what.anonymousId ?? null,
    properties:
      what.properties === undefined || what.properties === null ? null : JSON.stringify(what.properties),
    ...what.fields,
  });
  return stream(person, {
    merged_at: what.mergedAt ?? at,
    previously_anonymous: what.previouslyAnonymous ?? false,
    ...knownFields(what.known),
    event,
  });
}

export function identified(what: Happened): Given<'eventsMerged'> {
  return happened({ ...what, type: 'identify' });
}

export interface SaidOfObject {
  readonly action: 'set' | 'delete';
  readonly object_type_id: string;
  readonly object_id: string;
  readonly attributes?: object;
}

/** What was said of an object by itself: every partition has it. */
export function objectSaid(said: SaidOfObject, at = T0, id?: string): Given<'eventsMerged'> {
  const event = collectedEvent({
    type: 'object',
    message_id: id ?? `m${String((messages += 1))}`,
    received_at: at,
    timestamp: at,
    anonymous_id: null,
    properties: JSON.stringify(said),
  });
  const value = mergedEvent({
    kind: 'object',
    workspace: 'default',
    person_id: '',
    merged_at: at,
    event,
  });
  return given('eventsMerged', 'default:', value);
}

export function absorb(
  person: string,
  other: string,
  fact: number,
  when: number | { readonly at: number; readonly known: Known } = T0,
): Given<'eventsMerged'> {
  const { at, known } = typeof when === 'number' ? { at: when, known: undefined } : when;
  const fields = { merged_at: at, other_person_id: other, fact_number: fact, ...knownFields(known) };
  return stream(person, { kind: 'absorb', ...fields });
}
/** Something of one of the two went to the other: written to the streams of both. */
export function split(person: string, other: string, at: number, known: Known): Given<'eventsMerged'> {
  const fields = { merged_at: at, other_person_id: other, fact_number: known.asOf, ...knownFields(known) };
  return stream(person, { kind: 'split', ...fields });
}
export function absorbed(person: string, other: string, fact: number, at = T0): Given<'eventsMerged'> {
  return stream(person, { kind: 'absorbed', merged_at: at, other_person_id: other, fact_number: fact });
}
export function deleted(person: string, fact: number, at = T0): Given<'eventsMerged'> {
  return stream(person, { kind: 'deleted', merged_at: at, fact_number: fact });
}
function knownFields(known: Known | undefined): Partial<MergedEvent> {
  if (known === undefined) return {};
  return { known_as_of: known.asOf, known_id: known.id, known_email: known.email };
}
export function watermark(source: number, at: number, workspace = ''): Given<'eventsMerged'> {
  return given('eventsMerged', '', watermarkRecord(source, at, workspace));
}

function stream(person: string, fields: Partial<MergedEvent>): Given<'eventsMerged'> {
  const named = { kind: 'event', workspace: 'default', person_id: person, merged_at: 0 } as const;
  const value = mergedEvent({ ...named, ...fields });
  return given('eventsMerged', `default:${person}`, value);
}

/** Transfers that one partition put out, as another partition reads them. */
export function transfersOf(outputs: readonly Output[]): Given<'triggerTransfers'>[] {
  return of('triggerTransfers', outputs).map(({ key, value }) => given('triggerTransfers', key, value));
}

export class Trigger {
  readonly harness: ProcessorHarness;

  constructor(spec = triggerService) {
    this.harness = new ProcessorHarness(spec);
  }

  segment(id: string, when: unknown, rest: object = {}): this {
    this.harness.define('segment', 'default', id, { name: id, type: 'data_driven', when, ...rest });
    return this;
  }
  journey(id: string, trigger: unknown, rest: object = {}): this {
    this.harness.define('journey', 'default', id, { name: id, state: 'running', trigger, ...rest });
    return this;
  }
  remove(kind: 'segment' | 'journey', id: string): this {
    this.harness.define(kind, 'default', id, undefined);
    return this;
  }

  /** Of what is kept of a person but for the profile. */
  storedBytes(person: string): number {
    return this.harness.stores.keyed.get(`p:default:${person}`)?.length ?? 0;
  }

  /** One batch; its memberships and entries as lines. */
  then(...records: readonly Given[]): string[] {
    return lines(this.feed(...records));
  }
  /** Everything received before each of the records has been read, so what was due by then happens first. */
  feed(...records: readonly Given[]): Output[] {
    return this.raw(...records.flatMap((record) => [...this.#watermarks(mergedAtOf(record)), record]));
  }
  /** Nothing more was received until then; what that leads to, as lines. */
  until(at: number): string[] {
    return lines(this.raw(...this.#watermarks(at)));
  }
  /** These records and no others. */
  raw(...records: readonly Given[]): Output[] {
    const time = (this.#time += 1);
    return [...this.harness.batch(time, ...records), ...this.harness.idle(time)];
  }
  #time = T0;

  #watermarks(at: number): Given[] {
    if (at <= this.#readTo) return [];
    this.#readTo = at;
    return Array.from({ length: this.harness.partitions }, (_, source) => watermark(source, at));
  }
  #readTo = 0;
}

/** ms; 0 of what is no record of a stream. */
export function mergedAtOf({ topic, value }: Given): number {
  if (topic !== 'eventsMerged' || value === undefined) return 0;
  const { kind, merged_at: at } = value as MergedEvent; // the topic's record
  return kind === 'watermark' ? 0 : at;
}

/** `cio_a entered carts because of m1`, `cio_a starts recovery because of m1`. */
export function lines(outputs: readonly Output[]): string[] {
  return outputs.flatMap((output) => {
    const [segment] = of('segmentsChanged', [output]);
    if (segment !== undefined) {
      const { person_id: person, change, segment_id: id, cause_message_id: cause } = segment.value;
      return [`${person} ${change} ${id}${because(cause)}`];
    }
    const [entry] = of('journeysEntered', [output]);
    if (entry === undefined) return [];
    const { person_id: person, journey_id: id, trigger_message_id: cause } = entry.value;
    return [`${person} starts ${id}${because(cause)}`];
  });
}
function because(cause: string | null): string {
  return cause === null ? '' : ` because of ${cause}`;
}

/** The last published profile of a person. */
export function profileOf(outputs: readonly Output[], person = 'cio_a') {
  return of('peopleChanged', outputs)
    .map(({ value }) => value)
    .filter((value) => value.person_id === person)
    .at(-1);
}

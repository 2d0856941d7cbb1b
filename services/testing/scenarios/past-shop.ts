/**
 * Partitions of a trigger whose rules have a past, and a store that has all that was written: whose each event is there goes
 * by as many facts as the test says. For tests of what a rule that is made later, or a person who is taken apart, takes in.
 */
import { localCodecs } from '../../../schemas/codec.ts';
import type { MergedEvent } from '../../../schemas/records.ts';
import { evaluate } from '../../rules/evaluate.ts';
import { evidenceOf } from '../../rules/history.ts';
import { windowTime, type RuleEvent } from '../../rules/matching.ts';
import { parseSegment } from '../../rules/parse.ts';
import { apartMessages } from '../../trigger/past/apart-messages.ts';
import type { PastEvent, PastSource } from '../../trigger/past/source.ts';
import { stretches, type Told } from '../../trigger/past/stretches.ts';
import { toldTo, together, type Together } from '../../trigger/past/together.ts';
import { encodePast, type PastMessage } from '../../trigger/past-messages.ts';
import type { TriggerProcessor } from '../../trigger/processor.ts';
import { given, type Given, type ProcessorHarness } from '../processor-harness.ts';
import { absorb, absorbed, happened, split, T0 } from './trigger-scenario.ts';
import { membersOf, type World } from './trigger-world.ts';
import { worldWithPasts } from './world-with-pasts.ts';

const codecs = localCodecs();

/** ms: after all that happens. */
const LATER = T0 + 10 ** 12;
/** Whose each event is, by message, once so many facts are known. */
type Owners = ReadonlyMap<string, string>;

/** Partitions of a trigger whose rules have a past, and a store that has all that was written. */
export class PastShop {
  readonly world: World;
  readonly #owners: Owners[] = [new Map()];
  /** Into whom, and by which fact. */
  readonly #gone = new Map<string, { readonly into: string; readonly fact: number }>();
  readonly #seen = new Set<string>();
  /** Of the facts, those that the store knows. */
  factsBehind = 0;
  readonly #processors = new Map<number, TriggerProcessor>();

  constructor() {
    this.world = worldWithPasts(this.#processors);
  }

  /** undefined: it is deleted. */
  define(when: unknown, rest: object = {}): void {
    for (const { harness } of this.world.partitions) defineIn(harness, when, rest);
  }

  /** Who did it, and at the minute. */
  did(person: string, id: string, name: string, at: number): void {
    this.#owners.push(new Map(this.#owners.pop()).set(id, person));
    this.#seen.add(person);
    this.world.write(happened({ person, name, at, id }));
  }

  merge(from: string, into: string, at: number): void {
    const fact = this.#fact((person) => (person === from ? into : person));
    this.#gone.set(from, { into, fact });
    this.#seen.add(into);
    this.world.write(absorb(into, from, fact, at), absorbed(from, into, fact, at));
  }

  /** Every other event goes to the other person. */
  split(from: string, into: string, at: number): void {
    const fact = this.#fact((person, id) =>
      person === from && Number(id.slice(1)) % 2 === 1 ? into : person,
    );
    const known = { asOf: fact, id: null, email: null };
    for (const person of [from, into]) this.#seen.add(person);
    this.world.write(split(from, into, at, known), split(into, from, at, known));
  }

  #fact(ownerOf: (person: string, id: string) => string): number {
    const before = this.#owners.at(-1) ?? new Map<string, string>();
    this.#owners.push(new Map([...before].map(([id, person]) => [id, ownerOf(person, id)])));
    return this.#owners.length - 1;
  }

  /** What the reader says now to partitions that want it; the first `messagesMax` of it. */
  async tell(messagesMax = Infinity): Promise<number> {
    const all = [...this.#processors.values()].flatMap((processor) => processor.wantedPasts());
    let told = 0;
    for (const group of together(all)) told += await this.#tellThese(group, messagesMax - told);
    return told;
  }

  async #tellThese(group: Together, messagesMax: number): Promise<number> {
    let told = 0;
    const [{ workspace }] = group;
    for await (const { partition, message } of messagesOf(group, this.#source(), 0)) {
      if (told >= messagesMax) break;
      told += 1;
      this.world.partitions[partition]?.transfers.push(transferOf(workspace, message));
    }
    return told;
  }

  async settle(choose?: (ways: number) => number): Promise<void> {
    this.factsBehind = 0;
    do this.world.run(choose);
    while ((await this.tell()) > 0);
  }

  /** Who did what the store says that they did, the slow way. */
  expected(when: unknown): readonly string[] {
    const parsed = parseSegment({ name: 'x', type: 'data_driven', when });
    if (!parsed.ok || parsed.value.type !== 'data_driven') throw new Error('the rule is good');
    const { when: condition } = parsed.value;
    const owners = this.#owners.at(-1) ?? new Map<string, string>();
    const events = this.world.partitions.flatMap(({ log }) => log.flatMap(pastOf));
    const alive = [...this.#seen].filter((person) => !this.#gone.has(person)).sort();
    return alive.filter((person) => {
      const own = events.filter(({ event }) => owners.get(event.messageId) === person);
      const history = {
        events: own.map(({ event }) => event),
        attributes: {},
        segments: new Set<string>(),
        firstSeenAt: T0,
      };
      return evaluate(condition, evidenceOf(condition, history, LATER)).result;
    });
  }

  /** How many rules all partitions know a past of, of whichever version. */
  get kept(): number {
    const rows = this.world.partitions.map(
      ({ harness }) => harness.stores.keyed.scan('b:', 'b;', 1_000).length,
    );
    return rows.reduce((sum, count) => sum + count, 0);
  }

  get members(): readonly string[] {
    return membersOf('keen', this.world.outputs);
  }

  #source(): PastSource {
    const asOfFact = Math.max(0, this.#owners.length - 1 - this.factsBehind);
    const known = { asOf: T0, asOfFact };
    // Rows are there before facts are: an event that no fact has moved is whose it was written for.
    const ownerOf = ({ writtenId, event }: Pick<PastEvent, 'writtenId' | 'event'>) =>
      this.#owners[asOfFact]?.get(event.messageId) ?? writtenId;
    const everything = () => this.world.partitions.flatMap(({ log }) => log.flatMap(pastOf));
    const todayOf = (personId: string): string => {
      const gone = this.#gone.get(personId);
      return gone === undefined || gone.fact > asOfFact ? personId : todayOf(gone.into);
    };
    return {
      person: ({ personId, names }) => {
        const today = todayOf(personId);
        const events = everything().filter(
          (one) => ownerOf(one) === today && (names?.includes(one.event.name ?? '') ?? true),
        );
        return Promise.resolve({ ...known, events: inTurn(events.map(({ event }) => event)) });
      },
      read: ({ names, parts }) => {
        const all = parts.flatMap(({ partition, fence }) =>
          (this.world.partitions[partition]?.log ?? [])
            .slice(0, fence)
            .flatMap((record, offset) => pastOf(record, offset))
            .map((one) => ({ ...one, partition, personId: ownerOf(one) }))
            .filter(({ event }) => names?.includes(event.name ?? '') ?? true),
        );
        const from = parts.map((part) => part.from).sort()[0] ?? '';
        const events = all
          .filter(({ writtenId }) => writtenId >= from)
          .sort((a, b) => (a.writtenId < b.writtenId ? -1 : a.writtenId === b.writtenId ? 0 : 1));
        return Promise.resolve({ people: peopleOf(all), ...known, events: inTurn(events) });
      },
    };
  }
}

/** By partition. */
export function peopleOf(events: readonly PastEvent[]): ReadonlyMap<number, number> {
  const found = new Map<number, Set<string>>();
  for (const { partition, writtenId } of events) {
    found.set(partition, (found.get(partition) ?? new Set()).add(writtenId));
  }
  return new Map([...found].map(([partition, people]) => [partition, people.size]));
}

/** As the reader of the past tells them. */
export function messagesOf(group: Together, source: PastSource, factsTo: number): AsyncIterable<Told> {
  const [wanted] = group;
  if (wanted.apart === undefined) return stretches(group, source, factsTo);
  return toldTo(wanted.partition, apartMessages(wanted, source, factsTo));
}

async function* inTurn<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

export function transferOf(workspace: string, message: PastMessage): Given {
  const value = codecs.Transfer.decode(encodePast(codecs, workspace, '', message));
  return given('triggerTransfers', `${workspace}:`, value);
}

function pastOf({ value }: Given, offset: number): Omit<PastEvent, 'partition'>[] {
  const { kind, event, person_id: writtenId } = value as MergedEvent; // what was written to the stream
  if (kind !== 'event' || event === null) return [];
  const { type, name, message_id: messageId, timestamp, received_at: receivedAt } = event;
  if (type !== 'event') return [];
  const time = windowTime(timestamp, receivedAt);
  const seen: RuleEvent = { type, name, messageId, time, receivedAt, properties: () => ({}) };
  return [{ writtenId, personId: writtenId, offset, event: seen }];
}

function defineIn(harness: ProcessorHarness, when: unknown, rest: object): void {
  const body = when === undefined ? undefined : { name: 'Keen', type: 'data_driven', when, ...rest };
  harness.define('segment', 'default', 'keen', body);
}

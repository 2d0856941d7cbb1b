/**
 * Partitions of a trigger with a journey that takes people of before by the time of their trigger, and a store that has all
 * that was written: people do things, are identified and merged, and the test says when the reader tells how much.
 */
import type { MergedEvent } from '../../../schemas/records.ts';
import { Definitions } from '../../runtime/definitions.ts';
import { replayedRules } from '../../trigger/decide/replayed-rules.ts';
import { historiesOf, type HistoryRow } from '../../trigger/past/history-source.ts';
import { inheritedOf, type Merge, type WrittenRow } from '../../trigger/past/inheritance.ts';
import type { HistoriesQuestion, PastEvent, PastHistories, PastSource } from '../../trigger/past/source.ts';
import { stretches } from '../../trigger/past/stretches.ts';
import { toldTo } from '../../trigger/past/together.ts';
import { triggerStretches } from '../../trigger/past/trigger-stretches.ts';
import type { TriggerProcessor } from '../../trigger/processor.ts';
import { of, type Given } from '../processor-harness.ts';
import { transferOf } from './past-shop.ts';
import { absorb, absorbed, HOUR, identified, T0 } from './trigger-scenario.ts';
import type { World } from './trigger-world.ts';
import { worldWithPasts } from './world-with-pasts.ts';

export class PlacingShop {
  readonly world: World;
  readonly #processors = new Map<number, TriggerProcessor>();
  readonly #definitions = new Definitions();
  readonly #merges: Merge[] = [];
  /** What lanes have asked identity, and to whose streams they have sent. */
  readonly #asked = new Set<string>();
  readonly #sentTo = new Map<string, Set<string>>();

  constructor() {
    this.world = worldWithPasts(this.#processors);
  }

  define(journey: object): void {
    this.#store('journey', 'j', {
      name: 'J',
      state: 'running',
      include_current: 'as_of_trigger',
      ...journey,
    });
  }
  remove(): void {
    this.#store('journey', 'j', undefined);
  }
  segment(id: string, when: object): void {
    this.#store('segment', id, { name: id, type: 'data_driven', when });
  }

  /** Versions go on from definition to definition, as those of the partitions do. */
  #store(kind: 'journey' | 'segment', id: string, json: object | undefined): void {
    for (const { harness } of this.world.partitions) harness.define(kind, 'default', id, json);
    const body = json === undefined ? null : JSON.stringify(json);
    const version = this.#definitions.offset + 1;
    const stored = { workspace: 'default', kind, id, version, deleted: body === null, at: T0, body };
    this.#definitions.apply(this.#definitions.offset, stored);
  }

  /**
   * As a lane says it: to whom the person has become, by way of whoever of them it has sent to before, and identity is asked
   * when that is another or what is said is.
   */
  identify({ person, visitor, isOld }: Identifying, at: number, id: string): void {
    const today = this.#today(person);
    const lane = visitor ?? `of ${person}`;
    const sentTo = this.#sentTo.get(lane) ?? new Set();
    const via = [...sentTo].find((one) => one !== today && this.#today(one) === today) ?? today;
    this.#sentTo.set(lane, sentTo.add(via));
    const asOf = this.#asked.size + 1;
    const isNew = this.#asked.size < this.#asked.add(`${lane} ${person} ${today}`).size;
    const known = isNew ? { known: { asOf, id: person, email: null } } : {};
    const timestamp = isOld ? at - 80 * HOUR : at;
    const said = { id, at, timestamp, anonymousId: visitor, properties: {}, ...known };
    this.world.write(identified({ person: via, ...said }));
  }

  /** Both are there still, or nothing happens. */
  merge(personId: string, into: string, at: number): void {
    if (personId === into || this.#today(personId) !== personId || this.#today(into) !== into) return;
    this.#merges.push({ personId, into, at });
    const fact = this.#merges.length;
    this.world.write(absorb(into, personId, fact, at), absorbed(personId, into, fact, at));
  }

  #today(personId: string): string {
    const merge = this.#merges.find((one) => one.personId === personId);
    return merge === undefined ? personId : this.#today(merge.into);
  }

  /** What the reader says now; the first `messagesMax` of it. */
  async tell(messagesMax = Infinity): Promise<number> {
    const stored = this.#definitions.get('journey', 'default', 'j');
    const rules = stored && replayedRules(this.#definitions, 'default', stored);
    let told = 0;
    for (const wanted of [...this.#processors.values()].flatMap((processor) => processor.wantedPasts())) {
      if (rules === undefined) throw new Error('the journey is good');
      const messages =
        wanted.placing === undefined
          ? stretches([wanted], this.#counted(), 0)
          : toldTo(
              wanted.partition,
              triggerStretches(wanted, this.#source(), { replayed: rules, factsTo: 0 }),
            );
      for await (const { message } of messages) {
        if (told >= messagesMax) break;
        told += 1;
        this.world.partitions[wanted.partition]?.transfers.push(transferOf(wanted.workspace, message));
      }
    }
    return told;
  }

  async settle(choose?: (ways: number) => number): Promise<void> {
    do this.world.run(choose);
    while ((await this.tell()) > 0);
  }

  /** When, whose, because of what, and what came of it. */
  get outcomes(): readonly ToldOutcome[] {
    const entered = of('journeysEntered', this.world.outputs).map(({ value }) => ({
      ...{ person: value.person_id, at: value.entered_at, key: value.key, id: value.trigger_message_id },
      outcome: 'entered',
    }));
    const skipped = of('journeysSkipped', this.world.outputs).map(({ value }) => ({
      ...{ person: value.person_id, at: value.at, key: value.key, id: value.trigger_message_id },
      outcome: value.reason,
    }));
    return [...entered, ...skipped].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }

  /** Of the filters' conditions. */
  #counted(): PastSource {
    return {
      read: ({ names, parts }) => {
        const { partition = 0, fence = 0, from = '' } = parts[0] ?? {};
        const rows = this.#log(partition).slice(0, fence).map(rowOf);
        const events = rows
          .flatMap(([row], offset): PastEvent[] => {
            if (row === undefined || row.personId < from || !names?.includes(row.name ?? '')) return [];
            const { personId, name, messageId, receivedAt } = row;
            const asked = {
              name,
              messageId,
              receivedAt,
              time: receivedAt,
              type: 'event',
              properties: () => ({}),
            } as const;
            return [{ writtenId: personId, personId, partition, offset, event: asked }];
          })
          .sort((a, b) => (a.writtenId < b.writtenId ? -1 : a.writtenId === b.writtenId ? 0 : 1));
        const count = new Set(events.map(({ writtenId }) => writtenId)).size;
        const people = new Map([[partition, count]]);
        return Promise.resolve({ people, asOf: T0, asOfFact: 10 ** 9, events: inTurn(events) });
      },
      person: () => Promise.reject(new Error('nobody is taken apart')),
    };
  }

  #log(partition: number): readonly Given[] {
    return this.world.partitions[partition]?.log ?? [];
  }

  #source(): PastHistories {
    const read = (partition: number, fence: number) => this.#log(partition).slice(0, fence);
    return {
      histories: async function* (this: PlacingShop, question: HistoriesQuestion) {
        const { partition, fence, by, names, triggerNames, answers, from } = question;
        const rows = read(partition, fence).flatMap(rowOf);
        const identifies = read(partition, fence).flatMap(identifyOf);
        const isAny = triggerNames === null || triggerNames.length === 0;
        const happened = rows.filter(({ name, timestamp }) => {
          const mayAnswer = answers?.names?.includes(name ?? '') === true && timestamp >= answers.since;
          return isAny || triggerNames.includes(name ?? '') || mayAnswer;
        });
        const triggering = {
          identified: identifies,
          events: happened,
          anybody: [...happened, ...identifies],
        }[by];
        const ids = [...new Set(triggering.map(({ personId }) => personId))].sort();
        for (const writtenId of ids.filter((id) => id >= from)) {
          const theirs = rows.filter(({ personId }) => personId === writtenId);
          const counted = theirs.filter((row, index) => index === 0 || names?.includes(row.name ?? ''));
          // Where it is no trigger it lets go what waits for it, and may lie behind the fence.
          const said = by === 'identified' ? identifies : read(partition, Infinity).flatMap(identifyOf);
          const own = [...counted, ...said.filter(({ personId }) => personId === writtenId)].map((row) => ({
            ...row,
            personId: this.#today(writtenId),
          }));
          const nothing = { id: null, email: null, attributes: null, relationships: null, firstSeenAt: T0 };
          const profile = { personId: this.#today(writtenId), ...nothing };
          const histories = historiesOf([profile], [...this.#inherited(writtenId), ...own]);
          yield await Promise.resolve({
            people: [{ writtenId, histories }],
            of: ids.length,
            ...{ asOf: T0, asOfFact: 10 ** 9 },
          });
        }
      }.bind(this),
    };
  }

  #inherited(writtenId: string): readonly HistoryRow[] {
    const all = this.world.partitions.flatMap(({ log }) => log.flatMap(identifyOf));
    const said = all.map((row): WrittenRow => ({ writtenId: row.personId, row }));
    const todayOf = new Map(said.map((one) => [one.writtenId, this.#today(one.writtenId)]));
    const today = this.#today(writtenId);
    const own = said
      .filter((one) => one.writtenId === writtenId)
      .map((one) => ({ writtenId, row: { ...one.row, personId: today } }));
    return inheritedOf(own, said, { todayOf, merges: this.#merges }).map(({ row }) => row);
  }
}

/** Of somebody by themselves, or of a visitor who says so; long after it was said, or at once. */
export interface Identifying {
  readonly person: string;
  readonly visitor: string | null;
  readonly isOld: boolean;
}

async function* inTurn<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}

export interface ToldOutcome {
  readonly person: string;
  readonly at: number;
  readonly key: string | null;
  readonly id: string | null;
  readonly outcome: string;
}

function rowOf({ value }: Given): HistoryRow[] {
  const record = value as MergedEvent; // what was written
  const { kind, event, person_id: personId, merged_at: mergedAt } = record;
  const { previously_anonymous: previouslyAnonymous } = record;
  if (kind !== 'event' || event?.type !== 'event') return [];
  const { type, name, message_id: messageId, timestamp, received_at: receivedAt, properties } = event;
  const { anonymous_id: anonymousId, bot } = event;
  const row = { personId, type, name, messageId, timestamp, receivedAt, mergedAt, properties };
  return [{ ...row, anonymousId, previouslyAnonymous, bot }];
}

/** About which identity was asked; the store has no others. */
function identifyOf({ value }: Given): HistoryRow[] {
  const { kind, event, person_id: personId, merged_at: mergedAt, known_as_of: asked } = value as MergedEvent;
  if (kind !== 'event' || event?.type !== 'identify' || asked === null) return [];
  const { message_id: messageId, anonymous_id: anonymousId, timestamp, received_at: receivedAt } = event;
  const row = { personId, messageId, anonymousId, timestamp, receivedAt, mergedAt, properties: null };
  return [{ ...row, type: 'identify', name: null, previouslyAnonymous: false, bot: false }];
}

/**
 * What a history came to, told alike by the merger and by the oracle: each lane's events with their person of today,
 * whose each name is, and what was dropped. People are numbered by where they come up first, since their ids depend on
 * who was born first: two stories are equal if their people correspond. For the model test only.
 */
import { laneKey, type Identifier } from '../../../schemas/lanes.ts';
import type { PersonId } from '../../../schemas/ids.ts';
import { attribute, personToday, type Person } from './oracle-people.ts';
import type { Oracle } from './oracle.ts';
import type { Played } from './play.ts';
import type { Told, WorldEvent } from './told.ts';

/** Every line of the story, by what it is about. */
type Story = ReadonlyMap<string, readonly string[]>;

const people = ['p1', 'p2', 'p3', 'null', 'x'];
const names = people.flatMap((each): Identifier[] => [
  { kind: 'id', value: each },
  { kind: 'email', value: `${each}@x.org` },
]);
const visitors = ['x', 'y', 'z', 'null', 'p1', 'p2', 'p3'];
const NOBODY = 'nobody';

/** Says whose a merged event is today; null when deleted. */
export type PersonToday = (event: WorldEvent) => string | null;

/** Where the merger, or who says whose its events are, came to something else than the oracle; empty when nowhere. */
export function differences(
  { world, oracle }: { readonly world: Told; readonly oracle: Oracle },
  today: PersonToday = (event) => world.personToday(event),
): readonly string[] {
  const [expected, found] = [storyOfOracle(oracle), storyOfWorld(world, today)];
  const subjects = [...new Set([...expected.keys(), ...found.keys()])].sort();
  const faults = subjects.flatMap((subject) => {
    const [should, is] = [expected.get(subject) ?? [], found.get(subject) ?? []];
    if (should.join('\n') === is.join('\n')) return [];
    return [
      `${subject} should be:`,
      ...should.map((line) => `    ${line}`),
      '  but is:',
      ...is.map((line) => `    ${line}`),
    ];
  });
  return [...faults, ...miscounted(world)];
}

/** Replays that put out other bytes than the first run; a restart comes before each batch. */
export function replayFaults({ world }: Played): readonly string[] {
  return [world.identity, ...world.lanes.map(({ harness }) => harness)].flatMap((harness) => {
    const bytes = (outputs: typeof harness.outputs): string =>
      outputs.map((each) => `${each.topic} ${each.key} ${each.bytes.toString('hex')}`).join('\n');
    const same = bytes(harness.replay({ reopenEachBatch: true })) === bytes(harness.outputs);
    return same ? [] : [`a replay of ${harness.spec.name} puts out other bytes`];
  });
}

/** Every event merged from anonymity is counted once by an activity (spec C.1 row 14). */
function miscounted(world: Told): readonly string[] {
  const counted = world
    .activities()
    .reduce((sum, { detail }) => sum + (JSON.parse(detail ?? '') as { count: number }).count, 0);
  const merged = world.merged.filter((each) => each.merged.previously_anonymous).length;
  if (counted === merged) return [];
  return [`activities count ${String(counted)} merged events of ${String(merged)}`];
}

function storyOfOracle(oracle: Oracle): Story {
  const story = new StoryTeller<Person>();
  for (const [lane, list] of [...oracle.merged].sort(byName)) {
    for (const { person, type, messageId, once, mergedAt } of list) {
      story.event(lane, personToday(person), { type, messageId, once, mergedAt });
    }
  }
  for (const name of names) {
    story.name(name, oracle.people.owner(name) ?? null, oracle.people.isSuppressed(name));
  }
  for (const visitor of visitors) story.visitor(visitor, oracle.claimant(visitor));
  return story.told(oracle.dropped, (person, kind) => attribute(person, kind));
}

function storyOfWorld(world: Told, today: PersonToday): Story {
  const story = new StoryTeller<PersonId>();
  const { graph } = world;
  const lanes = new Map<string, WorldEvent[]>();
  for (const each of world.merged) {
    const {
      identifier_kind: kind,
      identifier,
      anonymous_id: anonymousId,
      message_id: messageId,
    } = each.event;
    const named = kind === 'none' || identifier === null ? null : { kind, value: identifier };
    const lane = laneKey(world.workspace, { anonymousId, identifier: named, messageId });
    lanes.set(lane, [...(lanes.get(lane) ?? []), each]);
  }
  for (const [lane, list] of [...lanes].sort(byName)) {
    for (const each of list) {
      const { type, message_id: messageId } = each.event;
      const { previously_anonymous: once, merged_at: mergedAt } = each.merged;
      const person = today(each) as PersonId | null; // identity's, from its log
      story.event(lane, person, { type, messageId, once, mergedAt });
    }
  }
  for (const name of names) story.name(name, graph.find(name)?.personId ?? null, graph.isSuppressed(name));
  for (const visitor of visitors) {
    const owner = graph.ownerOf(visitor);
    const isAlive = owner !== undefined && graph.person(owner)?.state === 'alive';
    story.visitor(visitor, isAlive ? owner : owner && null);
  }
  return story.told(world.dropped(), (personId, kind) => graph.person(personId)?.[kind] ?? null);
}

class StoryTeller<P> {
  readonly #lines = new Map<string, string[]>();
  readonly #numbers = new Map<P, string>();

  event(
    lane: string,
    person: P | null,
    event: { type: string; messageId: string; once: boolean; mergedAt: number },
  ): void {
    if (person === null) return; // deleted, with what they did
    const { type, messageId, once, mergedAt } = event;
    const mark = once ? ', once anonymous,' : '';
    const line = `${type} ${messageId}${mark} merged at ${new Date(mergedAt).toISOString()}`;
    this.#tell(`lane ${lane}`, `${line}: ${this.#number(person)}`);
  }

  name({ kind, value }: Identifier, person: P | null, suppressed: boolean): void {
    const owner = person === null ? NOBODY : this.#number(person);
    this.#tell(`${kind} ${value}`, suppressed ? `${owner}, suppressed` : owner);
  }

  visitor(visitor: string, person: P | null | undefined): void {
    if (person === undefined) return;
    this.#tell(`visitor ${visitor}`, person === null ? 'somebody deleted' : this.#number(person));
  }

  told(dropped: readonly string[], attributeOf: (person: P, kind: 'id' | 'email') => string | null): Story {
    for (const [person, number] of this.#numbers) {
      for (const kind of ['id', 'email'] as const) {
        this.#tell(`person ${number}`, `${kind} ${attributeOf(person, kind) ?? 'none'}`);
      }
    }
    for (const line of [...dropped].sort()) this.#tell('dropped', line);
    return this.#lines;
  }

  #number(person: P): string {
    const number = this.#numbers.get(person) ?? `#${String(this.#numbers.size + 1)}`;
    this.#numbers.set(person, number);
    return number;
  }

  #tell(subject: string, line: string): void {
    const lines = this.#lines.get(subject);
    if (lines === undefined) this.#lines.set(subject, [line]);
    else lines.push(line);
  }
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** What a shop's calls came to, read from the topics and from identity's store, against the oracle. */
import type { Codecs, RecordName } from '../../../schemas/codec.ts';
import type { Workspace } from '../../../schemas/ids.ts';

import type { IdentityFact } from '../../../schemas/records.ts';
import type { TopicId } from '../../../schemas/topics.ts';
import { WorkspaceGraph } from '../../identity/graph/graph.ts';
import type { Oracle } from '../model/oracle.ts';
import { differences } from '../model/story.ts';
import { personAtEnd, type Told, type WorldEvent } from '../model/told.ts';
import type { KeyedStore } from '../../runtime/store/ports.ts';
import type { MemoryBroker } from '../memory/memory-broker.ts';

/** What the lanes write of a claim; the trigger has activities of its own. */
const MERGE_ACTIVITY = 'Anonymous Data Merged';

export interface ClientStory {
  readonly broker: MemoryBroker;
  readonly codecs: Codecs;
  readonly workspace: Workspace;
  /** Of the identity partition that has the workspace. */
  readonly keyed: KeyedStore;
  readonly oracle: Oracle;
}

/** Where it came to something else; empty when nowhere. */
export function storyFaults(story: ClientStory): string[] {
  const told = toldBy(story);
  const lines = differences({ world: told, oracle: story.oracle });
  return [...lines.map((line) => `${story.workspace}: ${line}`), ...memberFaults(story, told)];
}

/**
 * Promise 5, in small: members are the living who have done anything. Nobody reads the past here, so those who
 * were split begin anew; they are left aside, and whoever absorbed them.
 */
function memberFaults(story: ClientStory, told: Told): string[] {
  const members = new Map<string, number>();
  for (const change of values(story, 'segmentsChanged', 'SegmentChange')) {
    members.set(
      change.person_id,
      (members.get(change.person_id) ?? 0) + (change.change === 'entered' ? 1 : -1),
    );
  }
  const active = new Set<string>();
  for (const each of told.merged) {
    const person = told.personToday(each);
    if (person !== null && each.event.type === 'event') active.add(person);
  }
  const split = peopleSplit(values(story, 'identityLog', 'IdentityFact'));
  const alive = [...new Set([...active, ...members.keys()])].filter(
    (person) => told.graph.person(person)?.state === 'alive' && !split.has(person),
  );
  return alive.flatMap((person) => {
    const [expected, found] = [Number(active.has(person)), members.get(person) ?? 0];
    return expected === found
      ? []
      : [`${story.workspace}: ${person} is ${String(found)} times a member, not ${String(expected)}`];
  });
}

function peopleSplit(facts: readonly IdentityFact[]): ReadonlySet<string> {
  const split = new Set<string>();
  for (const { kind, person_id: person, other_person_id: other } of facts) {
    if (person === null || other === null) continue;
    if (kind === 'person_split') split.add(person).add(other);
    if (kind === 'person_absorbed' && split.has(person)) split.add(other);
  }
  return split;
}

function toldBy(story: ClientStory): Told {
  const { workspace, keyed } = story;
  const merged = values(story, 'eventsMerged', 'MergedEvent').flatMap((record): WorldEvent[] =>
    record.kind === 'event' && record.event !== null ? [{ merged: record, event: record.event }] : [],
  );
  const facts = values(story, 'identityLog', 'IdentityFact');
  return {
    workspace,
    merged,
    graph: new WorkspaceGraph(keyed, workspace),
    activities: () =>
      values(story, 'activitiesLogged', 'Activity').filter(({ kind }) => kind === MERGE_ACTIVITY),
    // What the trigger leaves out is a deleted person's, whom the oracle gives no events.
    dropped: () =>
      keyedValues(story, 'eventsDropped', 'DroppedEvent')
        .filter(({ value }) => value.stage !== 'trigger' || value.reason !== 'person_deleted')
        .map(({ key, value }) => `${key} ${value.reason} ${value.message_id ?? ''}`),
    personToday: (event) => personAtEnd(facts, event),
  };
}

type Values = { readonly [Name in RecordName]: ReturnType<Codecs[Name]['decode']> };

function values<Name extends RecordName>(story: ClientStory, topic: TopicId, name: Name): Values[Name][] {
  return keyedValues(story, topic, name).map(({ value }) => value);
}

/** Of the workspace, in the order in which they were appended: a lane's events lie in its people's partitions. */
function keyedValues<Name extends RecordName>(
  { broker, codecs, workspace }: ClientStory,
  topic: TopicId,
  name: Name,
): { readonly key: string; readonly value: Values[Name] }[] {
  return broker
    .everCommitted(topic)
    .sort((a, b) => a.record.order - b.record.order)
    .map(({ record }) => ({
      key: record.key?.toString() ?? '',
      value: codecs[name].decode(record.value ?? Buffer.alloc(0)), // of its name's codec
    }))
    .filter(({ value }) => 'workspace' in value && value.workspace === workspace);
}

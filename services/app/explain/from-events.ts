/**
 * What the state that decides does not keep and the events in ClickHouse have: which event a condition rests on where it
 * asks for any of several names, and which events came and were not counted since a test of theirs does not hold. An
 * explanation is good without it: what cannot be had in time is left out.
 */
import { leavesOf, type Condition, type LeafCondition } from '../../rules/condition.ts';
import { StoredPatterns } from '../../rules/definition-patterns.ts';
import { windowTime, type RuleEvent } from '../../rules/matching.ts';
import { awaitedBy, missesText, nearMisses, type Awaited } from '../../rules/near-miss.ts';
import { parseJourney, parseSegment } from '../../rules/parse.ts';
import { parseJsonObject } from '../../rules/paths.ts';
import { PatternSteps } from '../../rules/pattern-steps.ts';
import { inTime } from '../in-time.ts';
import type { Query } from '../ports.ts';

/** Conditions of an answer that are looked at, and events of a name that are read, newest first. */
const conditionsMax = 10;
const eventsOfNameMax = 50;
const eventsMax = 200;
const idsMax = 1_000;

export interface ExplainedOf {
  readonly workspace: string;
  readonly kind: 'segment' | 'journey';
  /** The definition as it is stored. */
  readonly body: unknown;
  /** ms */
  readonly at: number;
}

/** As services/rules/explain.ts tells it. */
interface Told {
  readonly pointer: string;
  readonly value: unknown;
  readonly says: string;
  readonly rests_on: readonly { readonly message_id: string; readonly name: string | null }[];
}
type Explained = Readonly<Record<string, unknown>>;

export async function fromEvents(query: Query, of: ExplainedOf, explained: Explained): Promise<Explained> {
  const { conditions, person_id: person } = explained as { conditions?: readonly Told[]; person_id?: string }; // the trigger's
  const rule = ruleOf(of);
  if (conditions === undefined || conditions.length === 0 || person === undefined) return explained;
  const leaves = new Map((rule === undefined ? [] : leavesOf(rule)).map((leaf) => [leaf.pointer, leaf]));
  const whose = { workspace: of.workspace, person };
  const [names, missed] = await Promise.all([
    namesOf(query, whose, conditions),
    missesOf(query, whose, { conditions, leaves, now: of.at }),
  ]);
  return {
    ...explained,
    conditions: conditions.map((told) => ({ ...withNames(told, names), ...missed.get(told.pointer) })),
  };
}

interface Whose {
  readonly workspace: string;
  readonly person: string;
}

/** Conditions of a segment, and of the filters of a journey. */
function ruleOf({ kind, body }: ExplainedOf): Condition | undefined {
  const patterns = new StoredPatterns(true);
  if (kind === 'journey') {
    const parsed = parseJourney(body, patterns);
    return parsed.ok ? (parsed.value.filters ?? undefined) : undefined;
  }
  const parsed = parseSegment(body, patterns);
  return parsed.ok && parsed.value.type === 'data_driven' ? parsed.value.when : undefined;
}

function withNames(told: Told, names: ReadonlyMap<string, string>): Told {
  if (names.size === 0) return told;
  const rests_on = told.rests_on.map((event) => ({
    ...event,
    name: event.name ?? names.get(event.message_id) ?? null,
  }));
  return { ...told, rests_on };
}

async function namesOf(
  query: Query,
  whose: Whose,
  conditions: readonly Told[],
): Promise<ReadonlyMap<string, string>> {
  const nameless = conditions.flatMap(({ rests_on: events }) => events.filter(({ name }) => name === null));
  const messages = [...new Set(nameless.map(({ message_id: id }) => id))].slice(0, idsMax);
  if (messages.length === 0) return new Map();
  const rows = (await inTime(query(NAMES, { ...whose, messages, limit: idsMax }))) ?? [];
  return new Map(rows.map((row) => [String(row['message_id']), String(row['named'])]));
}

async function missesOf(
  query: Query,
  whose: Whose,
  asked: {
    readonly conditions: readonly Told[];
    readonly leaves: ReadonlyMap<string, LeafCondition>;
    readonly now: number;
  },
): Promise<ReadonlyMap<string, object>> {
  const waiting = asked.conditions
    .flatMap((told) => {
      const leaf = asked.leaves.get(told.pointer);
      const awaited = leaf && awaitedBy(leaf, told.value);
      return awaited === undefined ? [] : [{ told, awaited }];
    })
    .slice(0, conditionsMax);
  if (waiting.length === 0) return new Map();
  const events = await eventsOf(
    query,
    whose,
    waiting.map(({ awaited }) => awaited),
  );
  const looked = { events, now: asked.now, patterns: new PatternSteps() };
  return new Map(
    waiting.flatMap(({ told, awaited }) => {
      const misses = nearMisses(awaited, looked);
      const { pointer, says } = told;
      if (misses.count === 0) return [];
      return [[pointer, { says: `${says}${missesText(misses)}`, not_counted: misses.told }] as const];
    }),
  );
}

async function eventsOf(
  query: Query,
  whose: Whose,
  awaited: readonly Awaited[],
): Promise<readonly RuleEvent[]> {
  const names = awaited.flatMap(({ matcher: { name } }) => name ?? []);
  const any = awaited.some(({ matcher: { name } }) => name === null) ? 1 : 0;
  const parameters = { ...whose, names, any, of_name: eventsOfNameMax, limit: eventsMax };
  const rows = (await inTime(query(EVENTS, parameters))) ?? [];
  return rows.map(eventOf);
}

function eventOf(row: Readonly<Record<string, unknown>>): RuleEvent {
  const { name, properties } = row;
  const receivedAt = Number(row['received']);
  return {
    messageId: String(row['message_id']),
    type: row['type'] as RuleEvent['type'], // as asked for
    name: typeof name === 'string' ? name : null,
    receivedAt,
    time: windowTime(Number(row['at']), receivedAt),
    properties: () => parseJsonObject(typeof properties === 'string' ? properties : null),
    isBot: () => row['bot'] === true,
  };
}

const NAMES = `
  SELECT message_id, any(name) AS named FROM person_events(person = {person:String})
  WHERE workspace = {workspace:String} AND message_id IN {messages:Array(String)} AND name IS NOT NULL
  GROUP BY message_id LIMIT {limit:UInt32}`;

const EVENTS = `
  SELECT message_id, toString(type) AS type, name, toUnixTimestamp64Milli(timestamp) AS at,
    toUnixTimestamp64Milli(received_at) AS received, properties, bot
  FROM person_events(person = {person:String})
  WHERE workspace = {workspace:String} AND type IN ('event', 'page', 'screen')
    AND ({any:UInt8} = 1 OR name IN {names:Array(String)})
  ORDER BY least(timestamp, received_at) DESC LIMIT {of_name:UInt32} BY name LIMIT {limit:UInt32}`;

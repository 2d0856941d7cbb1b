/**
 * What is allowed in a segment or a journey and most likely not meant: events of a name that has never come, and a past
 * that is still being read. A `PUT` is answered with these; nothing waits for them longer than a bound.
 */
import type { Fault } from '../../schemas/http/app.ts';
import type { Journey, Segment } from '../rules/condition.ts';
import { eventNamesOf, isCounting, type NamedEvent } from '../rules/event-names.ts';
import { nearestName } from '../runtime/nearest-name.ts';
import { systemTime, type TimePort } from '../runtime/time.ts';
import type { Query } from './ports.ts';

/** A workspace of more names has some of which nothing is said. */
const namesMax = 2_000;
const askMsMax = 1_500;

export interface RuleAsked {
  readonly workspace: string;
  readonly definition: Segment | Journey;
  /** It asks another thing than before. */
  readonly isNewRule: boolean;
  /** With it people of before begin to be taken by the time of their trigger. */
  readonly isPlacing: boolean;
}

export async function ruleWarnings(
  query: Query,
  asked: RuleAsked,
  time: TimePort = systemTime,
): Promise<readonly Fault[]> {
  const { definition, workspace } = asked;
  const wanted = eventNamesOf(definition);
  const known = wanted.length === 0 ? undefined : await namesSeen(query, workspace, time);
  return [...pastWarnings(asked), ...(known === undefined ? [] : neverSeen(wanted, known))];
}

/** What people did before a rule was there is read from ClickHouse, which takes its time. */
function pastWarnings({ definition, isNewRule, isPlacing }: RuleAsked): readonly Fault[] {
  if (isPlacing) {
    const pointer = '/include_current';
    return [
      {
        pointer,
        code: 'past_enters',
        message: 'whoever triggered it before enters now, by the time of their trigger: replay says who',
      },
    ];
  }
  if (!isNewRule || !('when' in definition) || !isCounting(definition.when)) return [];
  const message =
    'what people did before is being read: until it is in nobody enters or leaves, and GET says how far it is';
  return [{ pointer: '/when', code: 'past_not_in_yet', message }];
}

function neverSeen(wanted: readonly NamedEvent[], known: readonly string[]): readonly Fault[] {
  const seen = new Set(known);
  return wanted
    .filter(({ name }) => !seen.has(name))
    .map(({ pointer, name }) => ({ pointer, code: 'event_never_seen', message: neverSeenText(name, known) }));
}

function neverSeenText(name: string, known: readonly string[]): string {
  const text = `no event named ${name} has come so far, and letters are compared as they are`;
  const near = nearestName(name, known);
  if (near !== undefined) return `${text}: did you mean ${near}?`;
  if (!name.includes('*')) return text;
  return `${text}. A star stands for itself: write {"operator": "starts_with", "value": …} in place of the name`;
}

/** Names of this workspace's events, known and anonymous; undefined: there are too many, or they could not be had in time. */
async function namesSeen(
  query: Query,
  workspace: string,
  time: TimePort,
): Promise<readonly string[] | undefined> {
  const over = new AbortController();
  const late = time.sleep(askMsMax, over.signal).then(() => undefined);
  const rows = await Promise.race([
    late,
    query(NAMES, { workspace, limit: namesMax + 1 }).catch(() => undefined), // a rule is good without its warnings
  ]);
  over.abort();
  if (rows === undefined || rows.length > namesMax) return undefined;
  return rows.map(({ name }) => String(name));
}

/** By a dictionary of names: no event is read whole. */
const NAMES = `
  SELECT DISTINCT name FROM (
    SELECT name FROM stored_merged WHERE workspace = {workspace:String} AND name IS NOT NULL
    UNION ALL
    SELECT name FROM stored_collected WHERE workspace = {workspace:String} AND name IS NOT NULL
  ) LIMIT {limit:UInt32}`;

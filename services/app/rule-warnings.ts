/**
 * What is allowed in a segment or a journey and most likely not meant: events of a name that has never come, texts that
 * look like numbers, and a past that is still being read. A `PUT` is answered with these; nothing waits for them longer than a bound.
 */
import type { Fault } from '../../schemas/http/app.ts';
import type { Journey, Segment } from '../rules/condition.ts';
import { eventNamesOf, isCounting, testsOf, type NamedEvent } from '../rules/event-names.ts';
import { nearestName } from '../runtime/nearest-name.ts';
import { systemTime, type TimePort } from '../runtime/time.ts';
import { inTime } from './in-time.ts';
import type { Query } from './ports.ts';

/** A workspace of more names has some of which nothing is said. */
const namesMax = 2_000;

export interface RuleAsked {
  readonly workspace: string;
  readonly definition: Segment | Journey;
  /** It asks another thing than before. */
  readonly isNewRule: boolean;
  /**
   * Whether people of before are taken by the time of their trigger: they begin to be with this version, they began to be
   * with an earlier one, or they never are.
   */
  readonly placing: 'now' | 'before' | 'never';
}

export async function ruleWarnings(
  query: Query,
  asked: RuleAsked,
  time: TimePort = systemTime,
): Promise<readonly Fault[]> {
  return [...pastWarnings(asked), ...(await contentWarnings(query, asked, time))];
}

/** Those of what it says, whether it is stored or is only asked about. */
export async function contentWarnings(
  query: Query,
  { definition, workspace }: Pick<RuleAsked, 'workspace' | 'definition'>,
  time: TimePort = systemTime,
): Promise<readonly Fault[]> {
  const wanted = eventNamesOf(definition);
  const known = wanted.length === 0 ? undefined : await namesSeen(query, workspace, time);
  const unseen = known === undefined ? [] : neverSeen(wanted, { known, workspace });
  return [...takesNobody(definition), ...unseen, ...comparesText(definition)];
}

/** `true` is taken for "and those who are in it now". */
function takesNobody(definition: Segment | Journey): readonly Fault[] {
  if (!('trigger' in definition) || definition.includeCurrent !== true) return [];
  const message =
    definition.trigger.type === 'segment'
      ? 'whoever is in the segment now does not enter: true is about those whom a later definition of it finds. "as_of_trigger" lets in whoever entered it before'
      : 'true is about segments, and this trigger is none. "as_of_trigger" lets in whoever triggered it before';
  return [{ pointer: '/include_current', code: 'current_not_taken', message }];
}

/** A text that looks like a number, where a number was most likely meant. */
function comparesText(definition: Segment | Journey): readonly Fault[] {
  return testsOf(definition).flatMap(({ pointer, test: { path, check } }) => {
    if (!ORDERING.includes(check.type) || !('value' in check)) return [];
    const { value } = check;
    if (typeof value !== 'string' || !NUMBER.test(value)) return [];
    const message = `${JSON.stringify(value)} is a text, and no number is greater or less than a text: where ${path} is a number say ${value.trim()}, without quotes`;
    return [{ pointer, code: 'compares_text', message } as const];
  });
}
const ORDERING: readonly string[] = ['gt', 'gte', 'lt', 'lte'];
const NUMBER = /^\s*-?(0|[1-9][0-9]{0,15})([.][0-9]{1,15})?\s*$/;

/** What people did before a rule was there is read from ClickHouse, which takes its time. */
function pastWarnings({ definition, isNewRule, placing }: RuleAsked): readonly Fault[] {
  const pointer = '/include_current';
  if (placing === 'never' && 'trigger' in definition && isToPlace(definition)) {
    const message =
      'nobody of before enters: a journey of this id has run before, and what it decided then stands. Give it an id of its own for that';
    return [{ pointer, code: 'past_not_taken', message }];
  }
  if (placing === 'now') {
    return [
      {
        pointer,
        code: 'past_enters',
        message:
          'whoever triggered it before, if anybody did, enters now, by the time at which their trigger was received: replay with "by": "arrival" says who',
      },
    ];
  }
  if (!isNewRule || !('when' in definition) || !isCounting(definition.when)) return [];
  const message =
    'what people did before is being read: until it is in nobody enters or leaves, and GET says how far it is';
  return [{ pointer: '/when', code: 'past_not_in_yet', message }];
}

function isToPlace({ includeCurrent, state }: Journey): boolean {
  return includeCurrent === 'as_of_trigger' && state === 'running';
}

interface Seen {
  readonly known: readonly string[];
  readonly workspace: string;
}

function neverSeen(wanted: readonly NamedEvent[], seen: Seen): readonly Fault[] {
  const names = new Set(seen.known);
  return wanted
    .filter(({ name }) => !names.has(name))
    .map(({ pointer, name }) => ({ pointer, code: 'event_never_seen', message: neverSeenText(name, seen) }));
}

function neverSeenText(name: string, { known, workspace }: Seen): string {
  const text = `no event named ${name} has come to this workspace (${workspace}) so far, and letters are compared as they are`;
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
  const rows = await inTime(query(NAMES, { workspace, limit: namesMax + 1 }), time);
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

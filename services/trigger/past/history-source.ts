/** Where the histories of people are read from, and how rows of them become what is decided about. */
import type { PersonEvent } from '../decide/decide.ts';
import type { Profile } from '../decide/profile.ts';
import type { Relationship } from '../decide/relationships.ts';
import type { PersonHistory } from '../decide/replay.ts';
import type { ReplayedRules } from '../decide/replayed-rules.ts';
import { parseExactly } from '../../runtime/exact-json.ts';
import { parseJsonObject } from '../../rules/paths.ts';
import type { ComesBy } from './as-it-happened.ts';

/** Who may have triggered something in a range. */
export interface CandidatesQuestion {
  readonly workspace: string;
  /** `events`: who did one of these names, null for any. */
  readonly by: ReplayedRules['by'];
  readonly names: readonly string[] | null;
  /** ms; [from, to), by when it came to the person; of `event_time`, where it may come to them then. */
  readonly from: number;
  readonly to: number;
  readonly comesBy: ComesBy;
  /** People after this one, in the order of their cio_ids; empty: from the first. */
  readonly after: string;
  readonly limit: number;
}

export interface HistoryQuestion {
  readonly workspace: string;
  readonly people: readonly string[];
  readonly names: readonly string[] | null;
  /** Manual segments whose changes matter. */
  readonly manual: readonly string[];
  /** ms; what came to the person later, or happened later, is not read. */
  readonly to: number;
  readonly comesBy: ComesBy;
}

export interface HistorySource {
  /** The next of them, and how many there are in all. */
  candidates(
    question: CandidatesQuestion,
  ): Promise<{ readonly people: readonly string[]; readonly of: number }>;
  /** How many there are by either of the two times. */
  eitherWay(question: CandidatesQuestion): Promise<number>;
  /** How many events each has. */
  sizes(question: HistoryQuestion): Promise<ReadonlyMap<string, number>>;
  /** In the order of their cio_ids; who is gone is left out. */
  histories(question: HistoryQuestion): Promise<readonly PersonHistory[]>;
}

/** A record of a person's past. */
export interface HistoryRow extends Omit<PersonEvent, 'byCioId' | 'known' | 'counts' | 'details'> {
  readonly personId: string;
  /** JSON object. */
  readonly properties: string | null;
  readonly bot: boolean;
  /** JSON; of what is about a device. */
  readonly context?: string | null;
}

export interface ProfileRow {
  readonly personId: string;
  readonly id: string | null;
  readonly email: string | null;
  /** JSON object; null for none. */
  readonly attributes: string | null;
  /** JSON list; null for none. */
  readonly relationships: string | null;
  /** ms; Infinity: never. */
  readonly firstSeenAt: number;
}

/** @param rows in the order of the log; an identify of a moment follows the release that it led to. */
export function historiesOf(
  profiles: readonly ProfileRow[],
  rows: readonly HistoryRow[],
): readonly PersonHistory[] {
  const byPerson = new Map<string, HistoryRow[]>();
  for (const row of rows) {
    const own = byPerson.get(row.personId);
    if (own === undefined) byPerson.set(row.personId, [row]);
    else own.push(row);
  }
  return profiles.map((profile) => ({
    personId: profile.personId,
    events: (byPerson.get(profile.personId) ?? []).sort(inOrder).map(eventOf),
    profile: profileOf(profile),
    firstSeenAt: profile.firstSeenAt,
  }));
}

/** Sorting is stable. */
function inOrder(a: HistoryRow, b: HistoryRow): number {
  return a.mergedAt - b.mergedAt || Number(isSaid(a)) - Number(isSaid(b));
}
function isSaid({ type }: HistoryRow): boolean {
  return type === 'identify' || type === 'membership';
}

function eventOf({ properties, bot, context = null, ...row }: HistoryRow): PersonEvent {
  const details = { id: null, email: null, attributes_at: null, properties, context, bot };
  return { ...row, byCioId: false, known: null, details: () => details };
}

function profileOf({ id, email, attributes, relationships }: ProfileRow): Profile {
  const set = Object.entries(parseJsonObject(attributes));
  const related = relationships === null ? [] : (parseExactly(relationships) as readonly Relationship[]); // outputs.ts
  return {
    version: 0,
    id,
    email,
    attributes: Object.fromEntries(set.map(([name, value]) => [name, { value, by: [0, ''] as const }])),
    ...(related.length === 0 ? {} : { relationships: related }),
  };
}

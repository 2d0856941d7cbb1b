/**
 * What the trigger knows of a person, as stored: a short binary head that answers for most events whether there is
 * anything to do, then JSON. The profile has a key of its own (profile.ts), because few events need it.
 *
 * States of a person: alive; absorbed (into another person, to whom every record is forwarded, for ever); deleted
 * (records are dropped with a reason). Both ends are final.
 */
import type { Marks } from '../../rules/windows.ts';
import { rangesOfList, type HeldRange } from './held-triggers.ts';
import type { JourneyState } from './runs.ts';

/** What a person has of one rule. */
export interface RuleState {
  /** Version of the rule that the marks were counted for. */
  readonly version: number;
  /** Latest matching events by pointer of the condition. */
  readonly marks: Readonly<Record<string, Marks>>;
  /** Segments: member since, ms. Absent: not a member. */
  readonly since?: number;
  /** Segments: when membership may change if nothing more happens, ms. */
  readonly changesAt?: number;
  /** Segments: nobody enters before it, ms; until then what answers a stall that is over may be read. */
  readonly notBefore?: number;
}

export interface Person {
  readonly status: 'alive' | 'absorbed' | 'deleted';
  /** Stamp of the definitions under which the person was last looked at whole. */
  readonly stamp: number;
  /** Earliest timestamp of an event (spec C.1 row 29), ms; Infinity before the first. */
  readonly firstSeenAt: number;
  /** When something of this person has to be looked at although nothing happens, ms; Infinity for never. */
  readonly changesAt: number;
  /** Latest logical time at which a look changed something, ms. */
  readonly evaluatedAt: number;
  /** An identify of this person has been handled. */
  readonly identified: boolean;
  readonly rules: Readonly<Record<string, RuleState>>;
  readonly journeys: Readonly<Record<string, JourneyState>>;
  /** Anonymous ids whose identify has been handled, latest last; at most claimsMax. */
  readonly claims: readonly string[];
  /** Triggers that wait for an identify; at most heldRangesMax. */
  readonly held: readonly HeldRange[];
  /** absorbed: by whom, and the number of the fact. */
  readonly absorbedBy: { readonly personId: string; readonly factNumber: number } | null;
  /** A split cleared what the rules had counted: events that were merged before are counted no more, ms. */
  readonly clearedAt?: number;
}

/** What a person's rules have counted, as kept. Above it nothing more is counted for the person, and each time is told. */
export const ruleStateBytesMax = 512 * 1_024;
export const claimsMax = 64;

export const newPerson: Person = {
  status: 'alive',
  stamp: 0,
  firstSeenAt: Infinity,
  changesAt: Infinity,
  evaluatedAt: 0,
  identified: false,
  rules: {},
  journeys: {},
  claims: [],
  held: [],
  absorbedBy: null,
};

/** The oldest are forgotten first: what they guard is over in minutes. */
export function withClaim(claims: readonly string[], anonymousId: string): readonly string[] {
  if (claims.at(-1) === anonymousId) return claims;
  return [...claims.filter((other) => other !== anonymousId), anonymousId].slice(-claimsMax);
}

const FORMAT = 2;
/** Of versions that kept the triggers that wait in a list. */
const FORMAT_OF_LISTS = 1;
const STATUSES: readonly Person['status'][] = ['alive', 'absorbed', 'deleted'];
const HEAD_BYTES = 22;

export function isAlive(stored: Buffer): boolean {
  return stored[1] === 0;
}
export function stampOf(stored: Buffer): number {
  return stored.readUInt32LE(2);
}
export function firstSeenOf(stored: Buffer): number {
  return stored.readDoubleLE(6);
}
export function changesAtOf(stored: Buffer): number {
  return stored.readDoubleLE(14);
}

export function encodePerson(person: Person): Buffer {
  const { status, stamp, firstSeenAt, changesAt, ...rest } = person;
  const json = JSON.stringify(rest);
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + Buffer.byteLength(json));
  bytes[0] = FORMAT;
  bytes[1] = STATUSES.indexOf(status);
  bytes.writeUInt32LE(stamp, 2);
  bytes.writeDoubleLE(firstSeenAt, 6);
  bytes.writeDoubleLE(changesAt, 14);
  bytes.write(json, HEAD_BYTES);
  return bytes;
}

export function decodePerson(stored: Buffer): Person {
  const status = STATUSES[stored[1] ?? 0];
  if (status === undefined) throw new RangeError('unknown status of a person');
  return {
    ...restOf(stored),
    status,
    stamp: stampOf(stored),
    firstSeenAt: firstSeenOf(stored),
    changesAt: changesAtOf(stored),
  };
}

type Rest = Omit<Person, 'status' | 'stamp' | 'firstSeenAt' | 'changesAt'>;

function restOf(stored: Buffer): Rest {
  const parsed: unknown = JSON.parse(stored.toString('utf8', HEAD_BYTES));
  if (stored[0] === FORMAT) return parsed as Rest; // written by encodePerson
  if (stored[0] !== FORMAT_OF_LISTS) {
    throw new RangeError(`unknown format ${String(stored[0])} of a person's state`);
  }
  const { held, ...rest } = parsed as Omit<Rest, 'held'> & {
    readonly held: Parameters<typeof rangesOfList>[0];
  }; // written by encodePerson as it was
  return { ...rest, held: rangesOfList(held) };
}

/**
 * What the trigger knows of a person; state-codec.ts has its bytes. The profile has a key of its own (profile.ts), because
 * few events need it.
 *
 * States of a person: alive; absorbed (into another person, to whom every record is forwarded, for ever); deleted
 * (records are dropped with a reason). Both ends are final.
 */
import type { Marks } from '../../rules/windows.ts';
import type { HeldRange } from './held-triggers.ts';
import { JourneyStates } from './journey-states.ts';

/** What a person has of one rule. */
export interface RuleState {
  /** Version of the rule that the marks were counted for. */
  readonly version: number;
  /** Latest matching events by pointer of the condition. */
  readonly marks: Readonly<Record<string, Marks>>;
  /** Segments: member since, ms. Absent: not a member. */
  readonly since?: number | undefined;
  /** Segments: when membership may change if nothing more happens, ms. */
  readonly changesAt?: number | undefined;
  /** Segments: nobody enters or leaves before it, ms; until then what answers a stall that is over may be read. */
  readonly notBefore?: number | undefined;
}

/** By the rule's key. */
export type RuleStates = ReadonlyMap<string, RuleState>;

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
  readonly rules: RuleStates;
  readonly journeys: JourneyStates;
  /** Anonymous ids whose identify has been handled, latest last; at most claimsMax. */
  readonly claims: readonly string[];
  /** Triggers that wait for an identify; at most heldRangesMax. */
  readonly held: readonly HeldRange[];
  /** absorbed: by whom, and the number of the fact. */
  readonly absorbedBy: { readonly personId: string; readonly factNumber: number } | null;
  /** A split cleared what the rules had counted: events that were merged before are counted no more, ms. */
  readonly clearedAt: number | undefined;
  /** Number of the last fact by which something was split off, or given to, this person or one that was merged into them. */
  readonly clearedBy: number | undefined;
  /**
   * People whose past is read again since a split, this one or some that were merged into it; at most apartMax. Until it is
   * in, segments that count turn neither way. Absent: none.
   */
  readonly apart: readonly string[] | undefined;
  /** Where the person stands in the index of timers, ms; Infinity for nowhere. people-store.ts keeps it, no decider does. */
  readonly timerAt: number;
}

/** What a person's rules have counted, as kept. Above it nothing more is counted for the person, and each time is told. */
export const ruleStateBytesMax = 512 * 1_024;
export const claimsMax = 64;
/** Of more who were split and then merged within the moments that a reading takes, the first are not waited for. */
export const apartMax = 64;

export const newPerson: Person = {
  status: 'alive',
  stamp: 0,
  firstSeenAt: Infinity,
  changesAt: Infinity,
  evaluatedAt: 0,
  identified: false,
  rules: new Map(),
  journeys: JourneyStates.none,
  claims: [],
  held: [],
  absorbedBy: null,
  clearedAt: undefined,
  clearedBy: undefined,
  apart: undefined,
  timerAt: Infinity,
};

/** The oldest are forgotten first: what they guard is over in minutes. */
export function withClaim(claims: readonly string[], anonymousId: string): readonly string[] {
  if (claims.at(-1) === anonymousId) return claims;
  return [...claims.filter((other) => other !== anonymousId), anonymousId].slice(-claimsMax);
}

/** With these waited for, too. */
export function withApart(person: Person, others: readonly string[]): Person {
  const { apart = [] } = person;
  const added = others.filter((other) => !apart.includes(other));
  return added.length === 0 ? person : { ...person, apart: [...apart, ...added].slice(-apartMax) };
}

/** One of them is waited for no more. */
export function withoutApart(person: Person, gone: string): Person {
  const left = (person.apart ?? []).filter((one) => one !== gone);
  return { ...person, apart: left.length === 0 ? undefined : left };
}

/** Where the past of a rule is read from: events of people as they were written, of one partition of events.merged. */
import type { RuleEvent } from '../../rules/matching.ts';
import type { PersonHistory } from '../decide/replay.ts';
import type { ReplayedRules } from '../decide/replayed-rules.ts';

export interface PastQuestion {
  readonly workspace: string;
  readonly partition: number;
  /** Offsets below it. */
  readonly fence: number;
  /** Names of events that may count; null: any. */
  readonly names: readonly string[] | null;
  /** People from this one on; empty: all. */
  readonly from: string;
  /** Facts below this offset of identity.log have had their effect on whose events are whose. */
  readonly factsTo: number;
}

/** The same names of several partitions, read at once. */
export interface SharedQuestion extends Pick<PastQuestion, 'workspace' | 'names' | 'factsTo'> {
  readonly parts: readonly Pick<PastQuestion, 'partition' | 'fence' | 'from'>[];
}

export interface PastEvent {
  /** Of events.merged. */
  readonly partition: number;
  /** Whose it was when it was written. */
  readonly writtenId: string;
  /** Whose it is, as far as is known there. */
  readonly personId: string;
  readonly offset: number;
  readonly event: RuleEvent;
}

export interface PastRead {
  /** How many people there are of whom there are such events, told already or not, by partition; absent: nobody. */
  readonly people: ReadonlyMap<number, number>;
  /** ms, and the number of the newest fact that is known there. */
  readonly asOf: number;
  readonly asOfFact: number;
  /** By `writtenId`, in order of bytes, then by partition, and then by their times. */
  readonly events: AsyncIterable<PastEvent>;
}

/** All that is somebody's today, wherever and as whose it was written. */
export interface PersonQuestion extends Pick<PastQuestion, 'workspace' | 'names' | 'factsTo'> {
  /** Who may have been merged into another meanwhile: then all that is the other's. */
  readonly personId: string;
}

export interface PastSource {
  read(question: SharedQuestion): Promise<PastRead>;
  person(question: PersonQuestion): Promise<{
    readonly asOf: number;
    readonly asOfFact: number;
    /** By their times. */
    readonly events: AsyncIterable<RuleEvent>;
  }>;
}

/** The past of a journey's triggers. */
export interface HistoriesQuestion extends Omit<PastQuestion, 'names'> {
  /** Of the events that matter; null: any. */
  readonly names: readonly string[] | null;
  /** `identified`: whoever was, and when; `anybody`: whoever did something, was identified or was put into a segment by hand. */
  readonly by: ReplayedRules['by'];
  /** Of those that may trigger, where events do: whoever did none is left out. null: who did anything. */
  readonly triggerNames: readonly string[] | null;
  /**
   * Whoever did one of these since, ms, is asked for, too: what triggers may come late, and is answered then. null: anything.
   */
  readonly answers?: { readonly names: readonly string[] | null; readonly since: number };
  /** Manual segments whose changes matter. */
  readonly manual: readonly string[];
  /** Of all partitions, in their order. */
  readonly fences: readonly number[];
  /** When the journey was met, ms: who was put into a segment by hand from then on was put as it came. */
  readonly metAt: number;
}

export interface WrittenPerson {
  readonly writtenId: string;
  /** By whose the events are; none of what is nobody's any more. */
  readonly histories: readonly PersonHistory[];
  /** ms; their stream ended there, since they became another. Absent: it did not, or does not matter. */
  readonly endsAt?: number;
  /** There are more events than are read; whose they are. Absent: there are not. */
  readonly leftOut?: string;
}

export interface PastHistories {
  /** By `writtenId`, in order of bytes; some people at a time. */
  histories(question: HistoriesQuestion): AsyncIterable<{
    readonly people: readonly WrittenPerson[];
    /** Whose events there are. */
    readonly of: number;
    /** ms, and the number of the newest fact that is known there. */
    readonly asOf: number;
    readonly asOfFact: number;
  }>;
}

/** Columns in the order in which they were asked for. */
export type Row = readonly unknown[];
/** The rows that a query of ClickHouse has. */
export type AskRows = (
  query: string,
  parameters: Readonly<Record<string, unknown>>,
) => Promise<readonly Row[]>;

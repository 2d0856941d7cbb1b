/** Where the past of a rule is read from: events of people as they were written, of one partition of events.merged. */
import type { RuleEvent } from '../../rules/matching.ts';

export interface PastQuestion {
  readonly workspace: string;
  readonly partition: number;
  /** Offsets below it. */
  readonly fence: number;
  /** Names of events that may count; null: any. */
  readonly names: readonly string[] | null;
  /** People from this one on; empty: all. */
  readonly from: string;
}

export interface PastEvent {
  /** Whose it was when it was written. */
  readonly writtenId: string;
  /** Whose it is, as far as is known there. */
  readonly personId: string;
  readonly offset: number;
  readonly event: RuleEvent;
}

export interface PastRead {
  /** Whose events there are. */
  readonly people: number;
  /** ms; splits before it are known there. */
  readonly asOf: number;
  /** By `writtenId`, in order of bytes. */
  readonly events: AsyncIterable<PastEvent>;
}

export interface PastSource {
  read(question: PastQuestion): Promise<PastRead>;
}

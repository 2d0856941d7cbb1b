/**
 * What is said of the past of rules on trigger.transfers, between partitions and from the reader (past/reader.ts) to its
 * partition. Each is the JSON `state` of a transfer of kind `past`.
 */
import type { Codecs } from '../../schemas/codec.ts';
import type { Marks } from '../rules/windows.ts';
import type { Outcome } from './decide/replay.ts';
import type { JourneyState } from './decide/runs.ts';

/** Versions by rule key. */
export type RuleVersions = Readonly<Record<string, number>>;

/** As of what the reader read; absent: an earlier version did. A batch that is not committed may have shown it another. */
export interface ReadAs {
  /** By rule key: where its past ended. */
  readonly fences?: Readonly<Record<string, number>>;
  /** Of a journey: up to when time had been passed, ms. */
  readonly readTo?: number;
}

/** Marks that a person's past has left at a condition. */
export interface PastMarks {
  /** Whose the events were when they were written. */
  readonly writtenId: string;
  /** Whose they are. */
  readonly personId: string;
  readonly rule: string;
  readonly pointer: string;
  readonly marks: Marks;
  /** Of the past of a journey: what its triggers led to. */
  readonly triggers?: PastTriggers;
}

export interface PastTriggers {
  /** In their order. */
  readonly outcomes: readonly Outcome[];
  /** With the last of a person: stalls that have begun and are not up. */
  readonly state?: JourneyState;
  /** There were more events than are read: nothing of them is told. */
  readonly isLeftOut?: boolean;
}

/** What of the past is one person's. */
export interface PastOfPerson extends PastMarks {
  readonly version: number;
  /** ms; when the newest fact was made that who reads the past knew of. */
  readonly asOf: number;
  /** Its number: later splits were not known. Absent: an earlier version read it. */
  readonly asOfFact?: number;
}

/** What somebody who was taken apart has done, all of it. */
export interface ToldApart {
  /** Who was taken apart. */
  readonly personId: string;
  /** Number of the fact of the split that it is read for. */
  readonly clearedBy: number;
  /** ms, and the number of the newest fact that who reads the past knew of. */
  readonly asOf: number;
  readonly asOfFact: number;
  readonly rules: RuleVersions;
  readonly found: readonly Pick<PastMarks, 'rule' | 'pointer' | 'marks'>[];
  /** Nothing of it follows. */
  readonly isLast: boolean;
}

export type PastMessage =
  /** Where the past of these rules ends in a partition: events of it from there on are counted as they come. */
  | { readonly type: 'fences'; readonly partition: number; readonly of: readonly Fence[] }
  /** A stretch of what the reader found, in the order of placeOf; `from` is the `to` of the stretch before. */
  | ({
      readonly type: 'stretch';
      readonly rules: RuleVersions;
      readonly from: string;
      readonly to: string;
      /** People it is of; of how many in all. */
      readonly people: number;
      readonly of: number;
      /** As of PastOfPerson. */
      readonly asOf: number;
      readonly asOfFact?: number;
      readonly found: readonly PastMarks[];
    } & ReadAs)
  /** Nothing comes after `from`. */
  | ({ readonly type: 'end'; readonly rules: RuleVersions; readonly from: string } & ReadAs)
  /** All of the past of this rule that lies in the partition has been told. */
  | { readonly type: 'over'; readonly partition: number; readonly rules: RuleVersions }
  /** For a person of another partition. */
  | {
      readonly type: 'for';
      readonly version: number;
      readonly asOf: number;
      readonly asOfFact?: number;
      readonly found: PastMarks;
    }
  /** From the reader, to the partition of who was taken apart. */
  | { readonly type: 'apart'; readonly told: ToldApart }
  /** The same, on to whoever has taken them in since. */
  | { readonly type: 'apart_for'; readonly personId: string; readonly told: ToldApart };

export interface Fence {
  readonly rule: string;
  readonly version: number;
  /** Offset on events.merged. */
  readonly offset: number;
}

/** Where marks stand among what a partition's reader tells; texts in order of UTF-16, which for these is that of bytes. */
export function placeOf({
  writtenId,
  personId,
  rule,
  pointer,
}: Omit<PastMarks, 'marks' | 'triggers'>): string {
  return `${writtenId}\0${rule}\0${pointer}\0${personId}`;
}

export function encodePast(
  codecs: Pick<Codecs, 'Transfer'>,
  workspace: string,
  personId: string,
  message: PastMessage,
): Buffer {
  return codecs.Transfer.encode({
    kind: 'past',
    workspace,
    person_id: personId,
    from_person_id: null,
    fact_number: null,
    origin_partition: null,
    origin_offset: null,
    state: JSON.stringify(message),
    record: null,
  });
}

export function decodePast(state: string): PastMessage {
  return JSON.parse(state) as PastMessage; // written by encodePast
}

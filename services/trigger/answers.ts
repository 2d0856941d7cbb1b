/**
 * What the gateway asks: why a person is in a segment or is not, and what a journey would do with them. Read only, from the
 * state that decides: the answer says as of which record, and is the same as of it whenever it is asked.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { partitionOf } from '../../schemas/partitioner.ts';
import type { DefinitionsView } from '../runtime/definitions.ts';
import type { Actions } from '../runtime/status-server.ts';
import {
  explainJourney,
  explainSegment,
  type ExplainedJourney,
  type ExplainedSegment,
} from './decide/explain-person.ts';
import { replayedRules, type ReplayedRules } from './decide/replayed-rules.ts';
import { segmentKey } from './decide/workspace-rules.ts';
import type { WantedPast } from './wanted-past.ts';
import type { TriggerProcessor } from './processor.ts';
import type { Seen } from './seen.ts';

/** As the gateway writes it; it is its only caller. */
export interface Asked {
  readonly workspace: string;
  readonly kind: 'segment' | 'journey';
  readonly ruleId: string;
  readonly personId: string;
  /** Of a journey's run; null: the one without a key. */
  readonly key: string | null;
  /** ms; null: as far as time has been read. An earlier one than that is that. */
  readonly at: number | null;
  /** A journey that does not run is asked as if it did. */
  readonly asIfRunning?: boolean;
}

export type Answered =
  | {
      readonly type: 'explained';
      readonly explained: ExplainedSegment | ExplainedJourney;
      /** Up to where the state goes. */
      readonly asOf: {
        readonly partition: number;
        /** One past the last record of events.merged of the workspace that is handled. */
        readonly offset: number;
        /** One past the last definition. */
        readonly definitionsOffset: number;
        /** ms; everything received before has been handled, and timers have run. */
        readonly readTo: number;
        /** ms; the moment that the answer is about. */
        readonly at: number;
      };
    }
  /** This process does not have the person's partition, or not yet. */
  | { readonly type: 'not_here' }
  | { readonly type: 'rule_unknown' }
  | { readonly type: 'person_unknown' };

export interface AskedPast {
  readonly workspace: string;
  readonly ruleKey: string;
  /** Since which the rule asks what it asks. */
  readonly version: number;
}
export interface PastProgress {
  /** `open`: nobody enters or leaves yet. */
  readonly state: 'open' | 'ready';
  /** People with events that the rule may count: looked at, of how many. */
  readonly people: number;
  readonly of: number;
  /** When the rule was met, ISO 8601; absent: nowhere yet. */
  readonly since?: string;
  /** Of the definition, since which the rule asks what it asks: whose past this is. */
  readonly since_version: number;
}

/** From somebody absorbed to who is left. */
const mergesMax = 100;
/** Behind an explanation that took longer there is none for as long as it took. */
const restAfterMs = 5;
const restMsMax = 1_000;

export class Answers {
  readonly #partitions: number;
  readonly #processors = new Map<number, TriggerProcessor>();
  #restUntil = 0;

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  opened(partition: number, processor: TriggerProcessor): void {
    this.#processors.set(partition, processor);
  }

  get actions(): Actions {
    return {
      past: (body) => Promise.resolve(this.past(JSON.parse(body.toString()) as AskedPast)), // likewise
      explain: (body) => this.#inPauses(() => this.explain(JSON.parse(body.toString()) as Asked)), // the gateway's
    };
  }

  /** What an explanation takes is up to the rule and the person. Records have as much time behind each dear one. */
  async #inPauses(explain: () => Answered): Promise<Answered> {
    for (;;) {
      const ms = this.#restUntil - performance.now();
      if (ms <= 0) break;
      await sleep(ms);
    }
    const began = performance.now();
    const answered = explain();
    const ended = performance.now();
    if (ended - began > restAfterMs) this.#restUntil = ended + Math.min(ended - began, restMsMax);
    return answered;
  }

  /** Those in force in a partition of this process; undefined: none has read them yet. */
  get definitions(): DefinitionsView | undefined {
    return [...this.#processors.values()].find(({ definitions }) => definitions !== undefined)?.definitions;
  }

  /** Rules that a journey's past goes by. */
  replayed(workspace: string, journeyId: string): ReplayedRules | undefined {
    const { definitions } = this;
    const stored = definitions?.get('journey', workspace, journeyId);
    return definitions && stored && replayedRules(definitions, workspace, stored);
  }

  wantedPasts(): readonly WantedPast[] {
    return [...this.#processors.values()].flatMap((processor) => processor.wantedPasts());
  }

  /** How far the past of this version of a rule is in; null: it has none here. */
  past({ workspace, ruleKey, version }: AskedPast): PastProgress | null {
    const found = [...this.#processors.values()].map((each) => each.pastOf(workspace, ruleKey, version));
    const isBehind = found.includes('behind');
    const rows = found.filter((each) => typeof each === 'object');
    const began = rows.flatMap(({ since }) => since ?? []);
    if (began.length === 0 && !isBehind) return null;
    return {
      state: !isBehind && rows.every(({ ready }) => ready) ? 'ready' : 'open',
      people: rows.reduce((sum, { people }) => sum + people, 0),
      of: rows.reduce((sum, row) => sum + Math.max(row.of, row.people), 0),
      ...(began.length === 0 ? {} : { since: new Date(Math.min(...began)).toISOString() }),
      since_version: version,
    };
  }

  explain({ personId: first, at, ...asked }: Asked): Answered {
    const { workspace } = asked;
    let personId = first;
    for (let merges = 0; merges <= mergesMax; merges += 1) {
      const partition = partitionOf(`${workspace}:${personId}`, this.#partitions);
      const seen = this.#processors.get(partition)?.seen(workspace, personId);
      if (seen === undefined) return { type: 'not_here' };
      const { person } = seen.subject;
      if (person === undefined || person.status === 'deleted') return { type: 'person_unknown' };
      if (person.absorbedBy !== null) {
        personId = person.absorbedBy.personId;
        continue;
      }
      const now = Math.max(at ?? 0, seen.readTo);
      const explained = explainedBy(seen, { ...asked, now });
      if (explained === undefined) return { type: 'rule_unknown' };
      const { offset, definitionsOffset, readTo } = seen;
      return {
        type: 'explained',
        explained,
        asOf: { partition, offset, definitionsOffset, readTo, at: now },
      };
    }
    return { type: 'person_unknown' };
  }
}

function explainedBy(
  { subject, rules }: Seen,
  { kind, ruleId, ...asked }: Omit<Asked, 'workspace' | 'personId' | 'at'> & { readonly now: number },
): ExplainedSegment | ExplainedJourney | undefined {
  if (kind === 'journey') {
    const rule = rules.journeys.get(ruleId);
    return rule && explainJourney(subject, rule, asked);
  }
  const ruleKey = segmentKey(ruleId);
  const rule = rules.segmentsByKey.get(ruleKey) ?? rules.manual.get(ruleKey);
  return rule && explainSegment(subject, rule, asked.now);
}

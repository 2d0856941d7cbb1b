/**
 * What a journey would have done in a past range, and what it would do with one person at a past moment: histories from
 * ClickHouse through the code that decides. A call looks at a bounded number of people for a bounded time and says where
 * the next one goes on; it takes a small share of the process, whose business is what comes.
 */
import { parseExactly } from '../../runtime/exact-json.ts';
import type { DefinitionsView, StoredDefinition } from '../../runtime/definitions.ts';
import type { Actions } from '../../runtime/status-server.ts';
import { explainJourney, type ExplainedJourney } from '../decide/explain-person.ts';
import { replaySteps, type Outcome, type PersonHistory, type Replayed } from '../decide/replay.ts';
import { replayedRules, type ReplayedRules } from '../decide/replayed-rules.ts';
import type { JourneyRule } from '../decide/workspace-rules.ts';
import { asItHappened, type ComesBy } from './as-it-happened.ts';
import { differingTriggers, mayDiffer } from './both-ways.ts';
import type { HistorySource } from './history-source.ts';
import { PacedReplays } from './paced-replays.ts';
import { chunksOf, historyEventsMax } from './reading-chunks.ts';

export const replayedPeopleMax = 5_000;
export const replayMsMax = 8_000;
/** Of each kind, in the answer to a call. */
export const outcomesTold = 20;
/** Read at once. */
const pagePeopleMax = 500;
/** What comes later than this after it happened came late, where the journey waits for nothing. */
const lateMsMin = 60_000;

/** As the gateway writes it; it is its only caller. */
export interface AskedReplay {
  readonly workspace: string;
  readonly journeyId: string;
  /** In the place of what is stored; null: that. */
  readonly body: unknown;
  /** ms; [from, to). */
  readonly from: number;
  readonly to: number;
  readonly by: ComesBy;
  /** People after this one; empty: from the first. */
  readonly after: string;
}

export interface ReplayedJourney {
  readonly type: 'replayed';
  readonly version: number;
  /** Looked at in this call, and who may have triggered it in all. */
  readonly people: number;
  readonly of: number;
  readonly entered: number;
  readonly skipped: Readonly<Record<string, number>>;
  /** Of those who were looked at: no trigger of theirs lies in the range. */
  readonly withoutTrigger: number;
  /** Triggers of theirs that lead to something else by the other time, or at another moment, because something came late. */
  readonly arrivedLate: number;
  /** People beside `of` who may have triggered it by the other time alone. */
  readonly otherWay: number;
  readonly sample: { readonly entered: readonly ToldOutcome[]; readonly skipped: readonly ToldOutcome[] };
  /** People with more events than are read. */
  readonly leftOut: readonly string[];
  /** The last who was looked at; null: all have been. */
  readonly next: string | null;
}
export interface ToldOutcome {
  readonly personId: string;
  readonly outcome: Outcome;
}

export interface AskedRehearsal extends Pick<AskedReplay, 'workspace' | 'journeyId' | 'body' | 'by'> {
  readonly personId: string;
  readonly key: string | null;
  /** ms; past. */
  readonly at: number;
}
export interface RehearsedJourney {
  readonly type: 'rehearsed';
  readonly explained: ExplainedJourney;
  /** The last before the moment, oldest first. */
  readonly before: readonly Outcome[];
}

export type NotReplayed = {
  readonly type: 'rule_unknown' | 'person_unknown' | 'person_too_dear' | 'busy' | 'not_here';
};

export interface ReplayerParts {
  readonly source: HistorySource;
  /** undefined: they have not been read yet. */
  readonly definitions: () => DefinitionsView | undefined;
  readonly monotonicMs?: () => number;
}

export class Replayer {
  readonly #parts: ReplayerParts;
  readonly #now: () => number;
  readonly #pace = new PacedReplays();
  #isBusy = false;

  constructor(parts: ReplayerParts) {
    this.#parts = parts;
    this.#now = parts.monotonicMs ?? (() => performance.now());
  }

  get actions(): Actions {
    return {
      replay: (body) => this.replay(parseExactly(body.toString()) as AskedReplay), // the gateway's
      rehearse: (body) => this.rehearse(parseExactly(body.toString()) as AskedRehearsal), // likewise
    };
  }

  /** One at a time: it shares the process with what decides. */
  async replay(asked: AskedReplay): Promise<ReplayedJourney | NotReplayed> {
    const rules = this.#rulesFor(asked);
    if (rules === undefined || 'type' in rules) return rules ?? { type: 'rule_unknown' };
    if (this.#isBusy) return { type: 'busy' };
    this.#isBusy = true;
    try {
      return await this.#run(asked, rules);
    } finally {
      this.#isBusy = false;
    }
  }

  async rehearse(asked: AskedRehearsal): Promise<RehearsedJourney | NotReplayed> {
    const rules = this.#rulesFor(asked);
    if (rules === undefined || 'type' in rules) return rules ?? { type: 'rule_unknown' };
    const { workspace, personId, journeyId, at, key, by } = asked;
    const { names, manual, before, live, rule, state } = rules;
    const question = { workspace, people: [personId], names, manual, to: at + 1, comesBy: by };
    const sizes = await this.#parts.source.sizes(question);
    if ((sizes.get(personId) ?? 0) > historyEventsMax) return { type: 'person_unknown' };
    const [history] = await this.#parts.source.histories(question);
    if (history === undefined) return { type: 'person_unknown' };
    const range = { journeyId, before, live, from: -Infinity, to: at + 1 };
    const replayed = await this.#pace.run(replaySteps(inOrder(history, by), range));
    if (replayed === undefined) return { type: 'person_too_dear' };
    const { outcomes, subject } = replayed;
    const explained = { ...explainJourney(subject, rule, { now: at, key }), state };
    return { type: 'rehearsed', explained, before: outcomes.slice(-outcomesTold) };
  }

  #rulesFor({
    workspace,
    journeyId,
    body,
  }: Pick<AskedReplay, 'workspace' | 'journeyId' | 'body'>): ReplayedRules | NotReplayed | undefined {
    const definitions = this.#parts.definitions();
    if (definitions === undefined) return { type: 'not_here' };
    const stored = definitions.get('journey', workspace, journeyId);
    const journey = body === null ? stored : asIfStored(workspace, journeyId, { body, stored });
    return journey && replayedRules(definitions, workspace, journey);
  }

  async #run(asked: AskedReplay, rules: ReplayedRules): Promise<ReplayedJourney> {
    const told = new Tally(rules.rule);
    const ends = this.#now() + replayMsMax;
    const { workspace, from, to, by: comesBy } = asked;
    let after = asked.after;
    const whose = { workspace, by: rules.by, names: rules.triggerNames, from, to, comesBy };
    told.eitherWay = await this.#parts.source.eitherWay({ ...whose, after, limit: 1 });
    for (;;) {
      const limit = Math.min(pagePeopleMax, replayedPeopleMax - told.people);
      const { people, of } = await this.#parts.source.candidates({ ...whose, after, limit: limit + 1 });
      told.of = of;
      const page = people.slice(0, limit);
      const done = await this.#page(asked, rules, page, { told, ends });
      after = page[done - 1] ?? after;
      if (done === page.length && people.length <= limit) return told.answer(null);
      if (told.people >= replayedPeopleMax || this.#now() >= ends) return told.answer(after);
    }
  }

  /** How many of these people were looked at before the time was up; one at least. */
  async #page(
    asked: AskedReplay,
    rules: ReplayedRules,
    people: readonly string[],
    { told, ends }: { readonly told: Tally; readonly ends: number },
  ): Promise<number> {
    if (people.length === 0) return 0;
    const { workspace, to, by } = asked;
    // By event time more is read, and all that the other way goes by; what lies behind the range is left there.
    const question = {
      workspace,
      names: rules.names,
      manual: rules.manual,
      to,
      comesBy: 'event_time' as const,
    };
    const sizes = await this.#parts.source.sizes({ ...question, people });
    const isTooMuch = (id: string): boolean => (sizes.get(id) ?? 0) > historyEventsMax;
    let done = 0;
    for (const chunk of chunksOf(people, sizes)) {
      const readable = chunk.filter((id) => !isTooMuch(id));
      const found = await this.#parts.source.histories({ ...question, people: readable });
      const histories = new Map(found.map((history) => [history.personId, history]));
      for (const id of chunk) {
        const history = histories.get(id);
        const replayed = history && (await this.#pace.run(stepsOf(history, asked, rules)));
        if (history !== undefined && replayed !== undefined) {
          const other = mayDiffer(history, told.lateMs)
            ? await this.#pace.run(
                stepsOf(history, { ...asked, by: by === 'arrival' ? 'event_time' : 'arrival' }, rules),
              )
            : replayed;
          told.take(history, replayed.outcomes, other?.outcomes ?? []);
        } else if (history !== undefined || isTooMuch(id)) told.leftOut.push(id);
        told.people += 1;
        done += 1;
        if (this.#now() >= ends) return done;
      }
    }
    return done;
  }
}

function stepsOf(
  history: PersonHistory,
  { journeyId, from, to, by }: AskedReplay,
  { before, live }: ReplayedRules,
): Generator<undefined, Replayed> {
  return replaySteps(inOrder(history, by), { journeyId, before, live, from, to });
}

function inOrder(history: PersonHistory, by: ComesBy): PersonHistory {
  return by === 'arrival' ? history : asItHappened(history);
}

function asIfStored(
  workspace: string,
  id: string,
  { body, stored }: { readonly body: unknown; readonly stored: StoredDefinition | undefined },
): StoredDefinition {
  const version = (stored?.version ?? 0) + 1;
  return { kind: 'journey', workspace, id, version, ruleVersion: version, at: 0, body };
}

class Tally {
  people = 0;
  of = 0;
  eitherWay = 0;
  /** What comes within this time counts as in time, by both ways. */
  readonly lateMs: number;
  readonly leftOut: string[] = [];
  readonly #rule: JourneyRule;
  readonly #skipped: Record<string, number> = {};
  readonly #sample: { readonly entered: ToldOutcome[]; readonly skipped: ToldOutcome[] } = {
    entered: [],
    skipped: [],
  };
  #entered = 0;
  #withoutTrigger = 0;
  #arrivedLate = 0;

  constructor(rule: JourneyRule) {
    this.#rule = rule;
    this.lateMs = Math.min(lateMsMin, rule.stall?.forMs ?? lateMsMin);
  }

  /** @param other what the same person has by the other time. */
  take({ personId }: PersonHistory, outcomes: readonly Outcome[], other: readonly Outcome[]): void {
    if (outcomes.length === 0) this.#withoutTrigger += 1;
    if (other !== outcomes) this.#arrivedLate += differingTriggers(outcomes, other, this.lateMs);
    for (const outcome of outcomes) {
      const isEntry = outcome.type === 'journey_entered';
      if (isEntry) this.#entered += 1;
      else this.#skipped[outcome.reason] = (this.#skipped[outcome.reason] ?? 0) + 1;
      const sample = this.#sample[isEntry ? 'entered' : 'skipped'];
      if (sample.length < outcomesTold) sample.push({ personId, outcome });
    }
  }

  answer(next: string | null): ReplayedJourney {
    const { people, of, leftOut } = this;
    const counts = { people, of, entered: this.#entered, skipped: this.#skipped };
    const late = { arrivedLate: this.#arrivedLate, otherWay: Math.max(0, this.eitherWay - of) };
    const told = { ...counts, ...late, withoutTrigger: this.#withoutTrigger, sample: this.#sample };
    return { type: 'replayed', version: this.#rule.definitionVersion, ...told, leftOut, next };
  }
}

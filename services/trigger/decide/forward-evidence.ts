/**
 * What the conditions of a rule rest on, also at moments to come: a segment that is asked for by name is then what its own
 * rule says at that moment, if nothing more happens. The engine needs none of it, since it looks again when a segment turns;
 * it is for whoever asks when something will change.
 */
import { evaluate, type Verdict } from '../../rules/evaluate.ts';
import { unmetered } from '../../rules/pattern-steps.ts';
import { heldBack } from './held-back.ts';
import { LookEvidence, type AskedOfLook } from './look-evidence.ts';
import type { Person, RuleState, RuleStates } from './state.ts';
import { segmentKey, type WorkspaceRules } from './workspace-rules.ts';

export interface LookedAt extends AskedOfLook {
  readonly rules: WorkspaceRules;
}

export class ForwardEvidence extends LookEvidence {
  readonly #looked: LookedAt;
  readonly #states: RuleStates;
  readonly #isApart: boolean;
  /** Segments being looked at, outermost first: one that comes again is a circle of before those were refused. */
  readonly #path: readonly string[];

  constructor(
    looked: LookedAt,
    states: RuleStates,
    {
      marks,
      apart,
      path = [],
    }: {
      readonly marks: RuleState['marks'];
      readonly apart: Person['apart'] | true;
      readonly path?: readonly string[];
    },
  ) {
    super(looked, states, { marks, patterns: unmetered });
    this.#looked = looked;
    this.#states = states;
    this.#isApart = apart !== undefined;
    this.#path = path;
  }

  override inSegment(segmentId: string, now = this.now): boolean {
    return now <= this.now ? super.inSegment(segmentId) : this.#verdict(segmentId, now).result;
  }
  segmentChangesAt(segmentId: string, now: number): number {
    return this.#verdict(segmentId, now).changesAt;
  }

  #verdict(segmentId: string, now: number): Verdict {
    const key = segmentKey(segmentId);
    const { rules } = this.#looked;
    const rule = rules.segmentsByKey.get(key);
    const { marks = {}, since, notBefore = -Infinity } = this.#states.get(key) ?? {};
    const waits = rules.open.has(key) || (this.#isApart && rules.counting.has(key));
    if (rule === undefined || waits || this.#path.includes(segmentId))
      return { result: since !== undefined, changesAt: Infinity };
    const apart = this.#isApart ? true : undefined;
    const path = [...this.#path, segmentId];
    const verdict = evaluate(
      rule.when,
      new ForwardEvidence(this.#looked, this.#states, { marks, apart, path }),
      now,
    );
    return heldBack(verdict, { isMember: since !== undefined, notBefore, now });
  }
}

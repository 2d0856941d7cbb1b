/** What the conditions of a rule rest on in a look at a person. */
import type { Evidence } from '../../rules/evaluate.ts';
import type { PatternTests } from '../../rules/pattern-steps.ts';
import type { Related } from '../../rules/relationships.ts';
import type { Marks } from '../../rules/windows.ts';
import type { RuleState, RuleStates } from './state.ts';
import { segmentKey } from './workspace-rules.ts';

/** What the look knows of the person beside the states of rules; see LookOptions. */
export interface AskedOfLook {
  readonly now: number;
  readonly firstSeenAt: number;
  readonly attribute: (path: string) => unknown;
  readonly relationships: () => readonly Related[];
}

const NO_MARKS: Marks = [];

/** A class, because a look at a rule makes one and closures cost more. */
export class LookEvidence implements Evidence {
  readonly now: number;
  readonly firstSeenAt: number;
  readonly patterns: PatternTests;
  readonly #options: AskedOfLook;
  readonly #ruleStates: RuleStates;
  readonly #marks: RuleState['marks'];

  constructor(
    options: AskedOfLook,
    ruleStates: RuleStates,
    { marks, patterns }: { readonly marks: RuleState['marks']; readonly patterns: PatternTests },
  ) {
    this.now = options.now;
    this.firstSeenAt = options.firstSeenAt;
    this.patterns = patterns;
    this.#options = options;
    this.#ruleStates = ruleStates;
    this.#marks = marks;
  }

  marks(pointer: string): Marks {
    return this.#marks[pointer] ?? NO_MARKS;
  }
  attribute(path: string): unknown {
    return this.#options.attribute(path);
  }
  relationships(): readonly Related[] {
    return this.#options.relationships();
  }
  inSegment(segmentId: string): boolean {
    return this.#ruleStates.get(segmentKey(segmentId))?.since !== undefined;
  }
}

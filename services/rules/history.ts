/**
 * Evidence from a person's whole history, as ClickHouse has it: what explain asks where no state is at hand, and the
 * naive oracle that the incremental evaluation is tested against.
 */
import { isCounted, leavesOf, type Condition, type CountedCondition } from './condition.ts';
import { tokenOf } from './devices.ts';
import { evaluate, type Evidence } from './evaluate.ts';
import type { RuleEvent } from './matching.ts';
import { latestFirst, marksOf } from './memory.ts';
import { nextChange } from './next-change.ts';
import { valueAt, type JsonObject } from './paths.ts';
import type { Related } from './relationships.ts';
import { isSameMark, type Mark, type Marks } from './windows.ts';

export interface History {
  readonly events: readonly RuleEvent[];
  readonly attributes: JsonObject;
  readonly relationships?: readonly Related[];
  /** Segments that the person is in whatever the moment: manual ones. */
  readonly segments: ReadonlySet<string>;
  /** Conditions of the segments that go by the same history. */
  readonly conditions?: ReadonlyMap<string, Condition>;
  /** ms; Infinity: never seen. */
  readonly firstSeenAt: number;
}

/** @param now ms: what was received later is not seen. */
export function evidenceOf(condition: Condition, history: History, now: number): Evidence {
  return new HistoryEvidence(condition, history, now);
}

class HistoryEvidence implements Evidence {
  readonly now: number;
  readonly firstSeenAt: number;
  readonly #history: History;
  readonly #marks: ReadonlyMap<string, Marks>;
  /** Segments being looked at, outermost first: one that comes again is a circle. */
  readonly #open: readonly string[];

  constructor(condition: Condition, history: History, now: number, open: readonly string[] = []) {
    this.now = now;
    this.firstSeenAt = history.firstSeenAt;
    this.#history = history;
    this.#open = open;
    const events = history.events.filter(({ receivedAt }) => receivedAt <= now);
    this.#marks = new Map(
      leavesOf(condition)
        .filter(isCounted)
        .map((leaf) => [leaf.pointer, allMarks(leaf, events)]),
    );
  }

  marks(pointer: string): Marks {
    return this.#marks.get(pointer) ?? [];
  }
  attribute(path: string): unknown {
    return valueAt(this.#history.attributes, path);
  }
  relationships(): readonly Related[] {
    return this.#history.relationships ?? [];
  }
  inSegment(id: string, now: number): boolean {
    const [condition, evidence] = this.#segment(id, now);
    return condition === undefined ? this.#history.segments.has(id) : evaluate(condition, evidence).result;
  }
  segmentChangesAt(id: string, now: number): number {
    const [condition, evidence] = this.#segment(id, now);
    return condition === undefined ? Infinity : nextChange(condition, evidence);
  }

  #segment(id: string, now: number): [Condition | undefined, Evidence] {
    const condition = this.#open.includes(id) ? undefined : this.#history.conditions?.get(id);
    if (condition === undefined) return [undefined, this];
    return [condition, new HistoryEvidence(condition, this.#history, now, [...this.#open, id])];
  }
}

/** Every mark, latest first; of a distinct count the latest of each value, of devices of each token. */
function allMarks(condition: CountedCondition, events: readonly RuleEvent[]): Marks {
  const marks = events
    .flatMap((event) => marksOf(condition, event))
    .sort(latestFirst(condition))
    .filter((mark, at, all) => !isSameMark(all[at - 1], mark));
  const isByValue = condition.type === 'event' && 'path' in condition.count;
  if (!isByValue && condition.type !== 'device') return marks;
  const latest = new Map<string, Mark>();
  for (const mark of marks) {
    const value = condition.type === 'device' ? tokenOf(mark) : (mark[2] ?? '');
    if (!latest.has(value)) latest.set(value, mark);
  }
  return [...latest.values()];
}

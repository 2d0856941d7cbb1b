/**
 * What a definition refers to: every segment must be there, none may lead back to the one that is being defined, and the
 * conditions of all together are bounded, since a question about a rule is a question about those that it names. That holds
 * for what refers to the one that is being defined, too: else a chain that doubles at each link is made link by link, from
 * its beginning. Pure.
 */
import { leavesOf, type Condition, type Journey, type Segment } from './condition.ts';
import { faultsMax, referencedConditionsMax } from './limits.ts';
import { nearestName } from '../runtime/nearest-name.ts';
import { pointerTo, type Fault } from './faults.ts';

/** The segments that are there. */
export interface KnownSegments {
  /** undefined: there is none of that id. */
  segment(segmentId: string): Segment | undefined;
  /** Of all that are there. */
  ids(): readonly string[];
  /** Segments and journeys that refer to any. */
  users(): Iterable<User>;
}
export interface User {
  /** As a message names it: `segment vips`. */
  readonly name: string;
  /** Ids, each as often as it is referred to. */
  readonly references: readonly string[];
}

export function segmentReferenceFaults(id: string, segment: Segment, known: KnownSegments): readonly Fault[] {
  if (segment.type === 'manual') return [];
  const faults = faultsOf(referencesIn(segment.when), known, id);
  if (faults.length > 0) return faults;
  const fault = usersFault(id, segment, known);
  return fault === undefined ? [] : [fault];
}

export function journeyReferenceFaults(
  { trigger, filters }: Journey,
  known: KnownSegments,
): readonly Fault[] {
  const references = filters === null ? [] : referencesIn(filters);
  const { type } = trigger;
  const first = type === 'segment' ? [{ pointer: '/trigger/segment', segmentId: trigger.segmentId }] : [];
  return faultsOf([...first, ...references], known, undefined);
}

/** Ids of the segments that a segment refers to, each as often as it does. */
export function segmentReferences(segment: Segment): readonly string[] {
  let found = remembered.get(segment);
  if (found === undefined) {
    found = segment.type === 'manual' ? [] : referencesIn(segment.when).map(({ segmentId }) => segmentId);
    remembered.set(segment, found);
  }
  return found;
}
const remembered = new WeakMap<Segment, readonly string[]>();

export function journeyReferences({ trigger, filters }: Journey): readonly string[] {
  const behind = filters === null ? [] : referencesIn(filters).map(({ segmentId }) => segmentId);
  return trigger.type === 'segment' ? [trigger.segmentId, ...behind] : behind;
}

/** What refers to it must stay within the bound; one that has no more behind it than before takes nothing. */
function usersFault(id: string, segment: Segment, known: KnownSegments): Fault | undefined {
  const after = new Walk({ ...known, segment: (one) => (one === id ? segment : known.segment(one)) }, id);
  if (after.conditionsOf(id) <= new Walk(known, undefined).conditionsOf(id)) return undefined;
  for (const { name, references } of known.users()) {
    if (!references.some((one) => after.leadsBack(one))) continue;
    const conditions = references.reduce((sum, one) => sum + after.conditionsOf(one), 0);
    if (conditions <= referencedConditionsMax) continue;
    const [most, these] = [referencedConditionsMax, conditions].map(String);
    const message = `${name} refers to this segment, and what it refers to would have ${String(these)} conditions together, of at most ${String(most)}`;
    return { pointer: '/when', code: 'too_many', message };
  }
  return undefined;
}

interface Reference {
  /** Of the id. */
  readonly pointer: string;
  readonly segmentId: string;
}

function referencesIn(condition: Condition): readonly Reference[] {
  return leavesOf(condition).flatMap((leaf) =>
    leaf.type === 'segment'
      ? [{ pointer: pointerTo(leaf.pointer, 'segment'), segmentId: leaf.segmentId }]
      : [],
  );
}

/** @param own id of the segment that is being defined; what is stored under it counts no more. */
function faultsOf(
  references: readonly Reference[],
  known: KnownSegments,
  own: string | undefined,
): readonly Fault[] {
  const walk = new Walk(known, own);
  const faults: Fault[] = [];
  let conditions = 0;
  for (const { pointer, segmentId } of references) {
    if (faults.length >= faultsMax) break;
    const way = walk.wayBack(segmentId);
    if (way !== undefined) {
      const message = `a segment cannot go by itself: ${[own ?? '', ...way].join(' → ')}`;
      faults.push({ pointer, code: 'circular', message });
    } else if (known.segment(segmentId) === undefined) {
      const near = nearestName(segmentId, known.ids());
      const hint = near === undefined ? 'define it first' : `did you mean ${near}?`;
      const message = `there is no segment ${segmentId}: ${hint}`;
      faults.push({ pointer, code: 'unknown_segment', message });
    } else conditions += walk.conditionsOf(segmentId);
  }
  if (conditions > referencedConditionsMax) {
    const [most, these] = [referencedConditionsMax, conditions].map(String);
    const message = `the segments referred to, and those behind them, have at most ${String(most)} conditions together, these ${String(these)}`;
    faults.push({ pointer: references[0]?.pointer ?? '', code: 'too_many', message });
  }
  return faults;
}

class Walk {
  readonly #known: KnownSegments;
  readonly #own: string | undefined;
  readonly #conditions = new Map<string, number>();
  /** Segments that do not lead back. */
  readonly #clear = new Set<string>();
  readonly #leadsBack = new Map<string, boolean>();

  constructor(known: KnownSegments, own: string | undefined) {
    this.#known = known;
    this.#own = own;
  }

  /** Ids from this one to the one that is being defined; undefined when none leads there. */
  wayBack(segmentId: string): readonly string[] | undefined {
    if (segmentId === this.#own) return [segmentId];
    if (this.#clear.has(segmentId)) return undefined;
    this.#clear.add(segmentId); // also what leads in a circle of others, stored before circles were refused
    for (const next of this.#referencesOf(segmentId)) {
      const way = this.wayBack(next);
      if (way !== undefined) return [segmentId, ...way];
    }
    return undefined;
  }

  /** Whether it is the one that is being defined, or leads there. */
  leadsBack(segmentId: string): boolean {
    if (segmentId === this.#own) return true;
    const found = this.#leadsBack.get(segmentId);
    if (found !== undefined) return found;
    this.#leadsBack.set(segmentId, false); // a circle of others
    const leads = this.#referencesOf(segmentId).some((next) => this.leadsBack(next));
    this.#leadsBack.set(segmentId, leads);
    return leads;
  }

  /** Its own and those of all that it refers to, each as often as it is referred to. */
  conditionsOf(segmentId: string): number {
    const found = this.#conditions.get(segmentId);
    if (found !== undefined) return found;
    this.#conditions.set(segmentId, 0); // a circle, see above
    const segment = this.#known.segment(segmentId);
    const own = segment?.type === 'data_driven' ? leavesOf(segment.when).length : 1;
    const inside = this.#referencesOf(segmentId).reduce((sum, next) => sum + this.conditionsOf(next), 0);
    const all = own + inside;
    this.#conditions.set(segmentId, all);
    return all;
  }

  #referencesOf(segmentId: string): readonly string[] {
    const segment = this.#known.segment(segmentId);
    return segment === undefined ? [] : segmentReferences(segment);
  }
}

/** Conditions on the objects that a person belongs to (spec D.1): how many of them pass. */
import type { RelationshipCondition, Test } from './condition.ts';
import { changesAt, passes } from './operators.ts';
import { stepsOfTests } from './rule-steps.ts';
import { valueAt, type JsonObject } from './paths.ts';
import { unmetered, type PatternTests } from './pattern-steps.ts';

/** An object that a person belongs to. */
export interface Related {
  readonly object_type_id: string;
  readonly object_id: string;
  /** Of the relationship. */
  readonly attributes: JsonObject;
  readonly object_attributes: JsonObject;
}

export function relationshipVerdict(
  condition: RelationshipCondition,
  related: readonly Related[],
  now: number,
  patterns: PatternTests = unmetered,
): { readonly result: boolean; readonly changesAt: number } {
  const { type, n } = condition.count;
  const steps = 1 + stepsOfTests(condition.where) + stepsOfTests(condition.objectWhere);
  // Asked twice: whether it passes, and until when.
  if (!patterns.has(2 * steps * related.length)) return { result: false, changesAt: Infinity };
  const asked = related.filter((object) => isMeant(condition, object));
  const value = objectsThatPass(condition, asked, now, patterns).length;
  return {
    result: type === 'at_most' ? value <= n : value >= n,
    changesAt: Math.min(...asked.map((object) => objectChangesAt(condition, object, now))),
  };
}

export function objectsThatPass(
  condition: RelationshipCondition,
  related: readonly Related[],
  now: number,
  patterns?: PatternTests,
): readonly Related[] {
  const all = (tests: readonly Test[], attributes: JsonObject) =>
    tests.every(({ path, check }) => passes(check, valueAt(attributes, path), now, patterns));
  return related.filter(
    (object) =>
      isMeant(condition, object) &&
      all(condition.where, object.attributes) &&
      all(condition.objectWhere, object.object_attributes),
  );
}

function isMeant({ objectType, objectId }: RelationshipCondition, object: Related): boolean {
  return object.object_type_id === objectType && (objectId === null || object.object_id === objectId);
}

function objectChangesAt(condition: RelationshipCondition, object: Related, now: number): number {
  const first = (tests: readonly Test[], attributes: JsonObject) =>
    Math.min(...tests.map(({ path, check }) => changesAt(check, valueAt(attributes, path), now)));
  return Math.min(
    first(condition.where, object.attributes),
    first(condition.objectWhere, object.object_attributes),
  );
}

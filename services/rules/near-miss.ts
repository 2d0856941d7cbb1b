/**
 * Events that were nearly counted: the very event that a condition waits for came, and something that is asked of its
 * properties kept it out. What `explain` tells somebody who says that they did it. Pure.
 */
import { ExactNumber } from '../runtime/exact-json.ts';
import type { EventMatcher, LeafCondition } from './condition.ts';
import { matches, propertyAt, type RuleEvent } from './matching.ts';
import { passes } from './operators.ts';
import type { PatternSteps } from './pattern-steps.ts';
import { testText } from './says.ts';

/** Told of a condition, the newest. */
export const missesToldMax = 3;

export interface FailedTest {
  readonly property: string;
  /** null: it is not there. */
  readonly value: unknown;
  readonly says: string;
}
export interface NearMiss {
  readonly message_id: string;
  readonly name: string | null;
  /** When it happened, ISO 8601. */
  readonly timestamp: string;
  readonly failed: readonly FailedTest[];
}
export interface NearMisses {
  readonly count: number;
  readonly told: readonly NearMiss[];
}

/** What a condition that found `value` waits for next, with its tests; undefined: nothing, or nothing is asked of it. */
export function awaitedBy(leaf: LeafCondition, value: unknown): Awaited | undefined {
  const awaited = matcherAwaited(leaf, value);
  if (awaited === undefined) return undefined;
  return awaited.matcher.where.length > 0 || awaited.distinct !== null ? awaited : undefined;
}

export interface Awaited {
  readonly matcher: EventMatcher;
  /** A property that must be there, since its values are counted. */
  readonly distinct: string | null;
  readonly withinMs: number | null;
}

function matcherAwaited(leaf: LeafCondition, value: unknown): Awaited | undefined {
  switch (leaf.type) {
    case 'event': {
      const { count, withinMs } = leaf;
      const isMissing = (count.type === 'at_least' || count.type === 'distinct') && Number(value) < count.n;
      return isMissing
        ? { matcher: leaf, distinct: 'path' in count ? count.path : null, withinMs }
        : undefined;
    }
    case 'stall':
      return value === 'none' ? { matcher: leaf.of, distinct: null, withinMs: leaf.withinMs } : undefined;
    case 'sequence': {
      const matcher = leaf.steps[Number(value)];
      return matcher && { matcher, distinct: null, withinMs: leaf.withinMs };
    }
    default:
      return undefined;
  }
}

export interface Looked {
  /** Newest first. */
  readonly events: readonly RuleEvent[];
  /** ms */
  readonly now: number;
  /** What makes the tests, of all conditions of an answer together. */
  readonly patterns: PatternSteps;
}

/** Nothing where no steps are left for its tests. */
export function nearMisses(
  { matcher, distinct, withinMs }: Awaited,
  { events, now, patterns }: Looked,
): NearMisses {
  const anyhow = { ...matcher, where: [] };
  const before = patterns.skipped;
  const missed = events
    .filter((event) => event.time <= now && (withinMs === null || event.time > now - withinMs))
    .filter((event) => matches(anyhow, event, patterns))
    .map((event) => ({ event, failed: failedOf({ matcher, distinct }, event, patterns) }))
    .filter(({ failed }) => failed.length > 0);
  if (patterns.skipped > before) return { count: 0, told: [] };
  const told = missed.slice(0, missesToldMax).map(({ event, failed }) => ({
    message_id: event.messageId,
    name: event.name,
    timestamp: new Date(event.time).toISOString(),
    failed,
  }));
  return { count: missed.length, told };
}

/** Behind what the condition says. */
export function missesText({ count, told }: NearMisses): string {
  const [first] = told;
  if (first === undefined) return '';
  const each = told.map(
    ({ timestamp, failed }) => `at ${timestamp} ${failed.map(({ says }) => says).join(', ')}`,
  );
  const more = count > told.length ? `, and ${String(count - told.length)} more` : '';
  return `; not counted ${count === 1 ? 'is one' : `are ${String(count)}`} of another content: ${each.join('; ')}${more}`;
}

function failedOf(
  { matcher: { where }, distinct }: Pick<Awaited, 'matcher' | 'distinct'>,
  event: RuleEvent,
  patterns: PatternSteps,
): readonly FailedTest[] {
  const failed = where
    .filter(({ path, check }) => !passes(check, propertyAt(event, path), event.time, patterns))
    .map(({ path, check }) => {
      const value = propertyAt(event, path);
      return { property: path, value: value ?? null, says: testText(path, check, value) };
    });
  if (distinct === null || failed.some(({ property }) => property === distinct)) return failed;
  const value = propertyAt(event, distinct);
  if (value instanceof ExactNumber || ['string', 'number', 'boolean'].includes(typeof value)) return failed;
  const says = `${distinct}, whose values are counted, is ${value === undefined ? 'not there' : 'no text, number or boolean'}`;
  return [...failed, { property: distinct, value: value ?? null, says }];
}

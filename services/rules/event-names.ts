/** Which events a definition names, what it asks of them, and where: what a warning points at. Pure. */
import {
  isCounted,
  leavesOf,
  type Condition,
  type CountedCondition,
  type EventMatcher,
  type Journey,
  type LeafCondition,
  type Segment,
  type Test,
} from './condition.ts';
import { pointerTo } from './faults.ts';

export interface NamedEvent {
  /** Of the name. */
  readonly pointer: string;
  readonly name: string;
}

/** Names that are compared whole; those that a test decides may match anything. */
export function eventNamesOf(definition: Segment | Journey): readonly NamedEvent[] {
  return placedMatchers(definition).flatMap(({ pointer, matcher: { name } }) =>
    name === null ? [] : [{ pointer: pointerTo(pointer, 'event'), name }],
  );
}

export interface PlacedTest {
  /** Of its value. */
  readonly pointer: string;
  readonly test: Test;
}

/** What is asked of properties of events, and of attributes. */
export function testsOf(definition: Segment | Journey): readonly PlacedTest[] {
  const ofEvents = placedMatchers(definition).flatMap(({ pointer, matcher }) =>
    matcher.where.map((test, index) => ({ pointer: `${pointer}/where/${String(index)}/value`, test })),
  );
  const ofAttributes = leavesIn(definition).flatMap((leaf) =>
    leaf.type === 'attribute' ? [{ pointer: pointerTo(leaf.pointer, 'value'), test: leaf }] : [],
  );
  return [...ofEvents, ...ofAttributes];
}

/** Does it go by anything that has to be counted as it comes? */
export function isCounting(condition: Condition): boolean {
  return leavesOf(condition).some(isCounted);
}

interface PlacedMatcher {
  readonly pointer: string;
  readonly matcher: EventMatcher;
}

function placedMatchers(definition: Segment | Journey): readonly PlacedMatcher[] {
  const inConditions = leavesIn(definition).flatMap((leaf) => (isCounted(leaf) ? matchersAt(leaf) : []));
  if (!('trigger' in definition)) return inConditions;
  const { trigger } = definition;
  const pointer = '/trigger';
  if (trigger.type === 'event') return [{ pointer, matcher: trigger }, ...inConditions];
  if (trigger.type !== 'stall') return inConditions;
  const without = { pointer: pointerTo(pointer, 'without'), matcher: trigger.without };
  return [{ pointer, matcher: trigger.of }, without, ...inConditions];
}

function leavesIn(definition: Segment | Journey): readonly LeafCondition[] {
  if ('when' in definition) return leavesOf(definition.when);
  if (!('trigger' in definition) || definition.filters === null) return [];
  return leavesOf(definition.filters);
}

function matchersAt(leaf: CountedCondition): readonly PlacedMatcher[] {
  const { pointer } = leaf;
  const at = pointerTo(pointer, 'without');
  switch (leaf.type) {
    case 'event':
      return [{ pointer, matcher: leaf }];
    case 'stall':
      return [
        { pointer, matcher: leaf.of },
        { pointer: at, matcher: leaf.without },
      ];
    case 'device':
      return [{ pointer, matcher: { name: null, nameCheck: null, eventType: 'event', where: leaf.where } }];
    default:
      return [
        ...leaf.steps.map((matcher, index) => ({
          pointer: pointerTo(pointerTo(pointer, 'sequence'), String(index)),
          matcher,
        })),
        ...(leaf.without === null ? [] : [{ pointer: at, matcher: leaf.without.matcher }]),
      ];
  }
}

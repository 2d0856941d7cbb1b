/** Which events a definition names, and where: what a warning about a name points at. Pure. */
import {
  isCounted,
  leavesOf,
  type Condition,
  type CountedCondition,
  type EventMatcher,
  type Journey,
  type Segment,
} from './condition.ts';
import { pointerTo } from './faults.ts';

export interface NamedEvent {
  /** Of the name. */
  readonly pointer: string;
  readonly name: string;
}

/** Names that are compared whole; those that a test decides may match anything. */
export function eventNamesOf(definition: Segment | Journey): readonly NamedEvent[] {
  if ('when' in definition) return namesIn(definition.when);
  if (!('trigger' in definition)) return [];
  const { trigger, filters } = definition;
  const first = trigger.type === 'event' ? named(trigger, '/trigger') : [];
  const stall =
    trigger.type === 'stall'
      ? [...named(trigger.of, '/trigger'), ...named(trigger.without, '/trigger/without')]
      : [];
  return [...first, ...stall, ...(filters === null ? [] : namesIn(filters))];
}

/** Does it go by anything that has to be counted as it comes? */
export function isCounting(condition: Condition): boolean {
  return leavesOf(condition).some(isCounted);
}

function namesIn(condition: Condition): readonly NamedEvent[] {
  return leavesOf(condition).flatMap((leaf) => (isCounted(leaf) ? namesOf(leaf) : []));
}

function namesOf(leaf: CountedCondition): readonly NamedEvent[] {
  const { pointer } = leaf;
  switch (leaf.type) {
    case 'event':
      return named(leaf, pointer);
    case 'stall':
      return [...named(leaf.of, pointer), ...named(leaf.without, pointerTo(pointer, 'without'))];
    default:
      return [
        ...leaf.steps.flatMap((step, index) =>
          named(step, pointerTo(pointerTo(pointer, 'sequence'), String(index))),
        ),
        ...(leaf.without === null ? [] : named(leaf.without.matcher, pointerTo(pointer, 'without'))),
      ];
  }
}

function named({ name }: EventMatcher, pointer: string): readonly NamedEvent[] {
  return name === null ? [] : [{ pointer: pointerTo(pointer, 'event'), name }];
}

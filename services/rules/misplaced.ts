/**
 * Keys that are known in a definition and were written in another place than theirs: what their fault says of where they
 * go. Pure.
 */
import { conditionForms } from './condition.ts';

export type Place =
  /** An object of a condition that is no event: a group, `not`, an attribute, a segment, a relationship, a device. */
  | 'condition'
  /** An event that counts by itself, or a stall. */
  | 'event'
  /** An event within another: a step of a sequence, or what must not come. */
  | 'step'
  | 'sequence'
  | 'trigger'
  | 'segment'
  | 'journey'
  | 'test'
  | 'count';

const OF_EVENT = ['within', 'count', 'where', 'type', 'without', 'for', 'rearm', 'distinct'];
const OF_JOURNEY = ['state', 'trigger', 'filters', 'frequency', 'key', 'holdout', 'include_current'];
const OF_FREQUENCY = ['mode', 'gap', 'every', 'times', 'per'];
const OF_CONDITION = [...conditionForms, 'age', 'operator', 'value', 'property', ...OF_EVENT];
/** A trigger is an event or a segment, and of a sequence something better is said. */
const NOT_OF_TRIGGER = conditionForms.filter((form) => !['event', 'segment', 'sequence'].includes(form));

/** undefined: it is known nowhere, or nothing better can be said. */
export function whereItGoes(key: string, place: Place): string | undefined {
  const text = PLACES[place].find(([keys]) => keys.includes(key))?.[1];
  return text?.replaceAll('KEY', JSON.stringify(key));
}

const inEvent = (keys: readonly string[]) =>
  [keys, 'KEY belongs to the event that it is about: {"event": …, KEY: …}'] as const;
const besideNot = [['age'], 'KEY goes beside not: {"not": …, "age": "required"}'] as const;
const inTrigger = [
  ['on'],
  'KEY belongs to the trigger of a journey: {"segment": …, "on": "entered"}',
] as const;
const inTest = [
  ['property', 'operator', 'value'],
  'KEY belongs into a test: "where": [{"property", "operator", "value"}]',
] as const;
const inFrequency = [OF_FREQUENCY, 'KEY belongs under frequency'] as const;

const PLACES: Readonly<Record<Place, readonly (readonly [keys: readonly string[], text: string])[]>> = {
  condition: [inEvent(OF_EVENT), besideNot, inTrigger],
  event: [
    besideNot,
    [['distinct', 'at_least', 'at_most'], 'KEY belongs under count: "count": {"at_least": 3}'],
    inTest,
  ],
  step: [
    [['within'], 'KEY goes beside the sequence, or beside without, and is about the whole of it'],
    [['count'], 'an event of a sequence, or behind without, is not counted: write a step for each'],
    inTest,
  ],
  sequence: [
    [
      ['count', 'where', 'type', 'event'],
      'KEY belongs to a step: {"sequence": [{"event": …, "where": …}, …]}',
    ],
    [['rearm'], 'KEY belongs to an event with without and for, and to no sequence'],
  ],
  trigger: [
    [
      ['within', 'count', 'age', 'where', 'distinct', ...NOT_OF_TRIGGER],
      'a trigger is what happens, and has no KEY: ask for it under filters, as {"event": …, "within": "P7D"}, or begin with a segment that does',
    ],
    [['sequence'], 'begin with a segment whose rule is that sequence: {"segment": …, "on": "entered"}'],
    [['type', 'without', 'for', 'rearm'], 'KEY goes with a trigger by event: {"event": …, KEY: …}'],
    [OF_JOURNEY, 'KEY stands beside trigger, not in it'],
    inFrequency,
  ],
  segment: [
    [OF_CONDITION, 'KEY belongs under when'],
    [OF_JOURNEY, 'KEY belongs to a journey'],
  ],
  journey: [
    [['when'], 'a journey has a trigger and filters; when is of a segment'],
    [['on', 'identified', 'event', 'segment', 'without', 'for', 'rearm'], 'KEY belongs under trigger'],
    inFrequency,
    [OF_CONDITION, 'KEY belongs under filters'],
  ],
  test: [
    [
      ['within', 'count', 'without', 'for', 'rearm', 'type'],
      'KEY goes beside where: {"event": …, "where": […], KEY: …}',
    ],
    [['attribute'], 'an event has properties: say property'],
  ],
  count: [
    [
      ['sum', 'total', 'avg', 'average', 'min', 'max'],
      'nothing adds up or compares values of several events: keep the result as an attribute, and test that',
    ],
    [['within', 'where'], 'KEY goes beside count: {"event": …, "count": {"at_least": 3}, KEY: …}'],
  ],
};

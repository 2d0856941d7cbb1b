/** What patterns cost in one look at a person is bounded, said in `dropped`, and the same in every replay. */
import { describe, expect, test } from '@jest/globals';
import { patternInstructionsMax, patternTextCodePointsMax } from '../../schemas/http/limits.ts';
import { patternStepsALookMax, PatternSteps } from '../rules/pattern-steps.ts';
import { compilePattern } from '../runtime/pattern.ts';
import { of } from '../testing/processor-harness.ts';
import { T0, Trigger, happened, identified, lines } from '../testing/scenarios/trigger-scenario.ts';

/** Nearly as large as a pattern may be, and found in every text that has an `x` in the end. */
const large = (letter: string) =>
  `(?:.*${letter}?){${String(Math.floor((patternInstructionsMax - 20) / 5))}}x$`;
const longText = `${'a'.repeat(patternTextCodePointsMax - 1)}x`;
const counted = (letter: string) => ({
  event: 'Added to Cart',
  where: [{ property: 'note', operator: 'matches', value: large(letter) }],
});
const cheap = { event: 'Added to Cart', where: [{ property: 'note', operator: 'matches', value: '^aaa' }] };

function play(): Trigger {
  const trigger = new Trigger()
    .segment('one', counted('b'))
    .segment('two', counted('c'))
    .segment('three', cheap);
  trigger.feed(happened({ id: 'm1', properties: { note: longText } }));
  trigger.feed(happened({ id: 'm2', at: T0 + 1, properties: { note: 'aaax' } }));
  return trigger;
}

describe('security 6: patterns of one look have so many steps in sum', () => {
  test('what is beyond is false, and a row says how much; the next event has them all again', () => {
    const { outputs } = play().harness;
    expect(lines(outputs)).toEqual([
      'cio_a entered one because of m1',
      'cio_a entered three because of m1',
      'cio_a entered two because of m2',
    ]);
    expect(of('eventsDropped', outputs).map(({ value }) => value)).toMatchObject([
      {
        reason: 'patterns_too_costly',
        stage: 'trigger',
        person_id: 'cio_a',
        message_id: 'm1',
        detail: JSON.stringify({ tests_not_made: 1, steps_max: patternStepsALookMax }),
      },
    ]);
  });

  test('a replay says the same', () => {
    const said = () => of('eventsDropped', play().harness.outputs).map(({ value }) => value);
    expect(said()).toEqual(said());
    expect(said()).toHaveLength(1);
  });

  test('attributes count as properties do', () => {
    const asked = (letter: string) => ({ attribute: 'note', operator: 'matches', value: large(letter) });
    const trigger = new Trigger().segment('one', asked('b')).segment('two', asked('c'));
    trigger.feed(identified({ id: 'i1', properties: { note: longText } }));
    expect(lines(trigger.harness.outputs)).toEqual(['cio_a entered one because of i1']);
    expect(of('eventsDropped', trigger.harness.outputs)).toHaveLength(1);
  });

  test('the largest pattern that is taken can be asked of the longest text', () => {
    const result = compilePattern(`.{${String(patternInstructionsMax - 3)}}`);
    if (!result.ok) throw new Error(result.message);
    const steps = new PatternSteps();
    expect(steps.test(result.pattern, '\u{1f600}'.repeat(2 * patternTextCodePointsMax))).toBe(true);
    expect(steps.skipped).toBe(0);
  });
});

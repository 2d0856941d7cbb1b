/** What rules cost beside patterns is counted for the workspace's share, and what grows with whom they ask is bounded. */
import { describe, expect, test } from '@jest/globals';
import { patternStepsALookMax } from '../rules/pattern-steps.ts';
import { of } from '../testing/processor-harness.ts';
import { T0, Trigger, happened, identified, lines } from '../testing/scenarios/trigger-scenario.ts';

const group = (of: readonly unknown[]): unknown => {
  const parts = Array.from({ length: Math.ceil(of.length / 50) }, (_, n) => ({
    any: of.slice(n * 50, n * 50 + 50),
  }));
  return { any: parts };
};
const attributes = (count: number) =>
  group(Array.from({ length: count }, (_, n) => ({ attribute: `a${String(n)}`, operator: 'eq', value: n })));
const events = (count: number) =>
  group(
    Array.from({ length: count }, (_, n) => ({
      event: { operator: 'starts_with', value: `x${String(n)}` },
      where: [{ property: `p${String(n)}`, operator: 'exists' }],
    })),
  );
/** Units of share.ts, of each record, as the shell asks for them. */
function counting(trigger: Trigger): number[] {
  const { processor } = trigger.harness;
  const onRecord = processor.onRecord.bind(processor);
  const units: number[] = [];
  const counted: typeof onRecord = (...record) => {
    onRecord(...record);
    units.push(processor.takeUnits?.() ?? 0);
  };
  Object.assign(processor, { onRecord: counted });
  return units;
}
const last = (units: readonly number[]): number => units.at(-1) ?? 0;

describe('a workspace pays for its rules, not for its records alone', () => {
  test('for segments that ask who the person is, at each record that says it', () => {
    const [few, many] = [new Trigger().segment('s', attributes(10)), new Trigger()];
    for (let n = 0; n < 100; n += 1) many.segment(`s${String(n)}`, attributes(190));
    const [ofFew, ofMany] = [counting(few), counting(many)];
    for (const [n, trigger] of [few, many, few, many].entries())
      trigger.feed(identified({ id: `i${String(n)}`, at: T0 + n, properties: { a0: n } }));
    expect(last(ofFew)).toBeLessThan(20);
    expect(last(ofMany)).toBeGreaterThan(2_000);
  });

  test('for conditions that ask every event, at each event', () => {
    const trigger = new Trigger();
    for (let n = 0; n < 100; n += 1) trigger.segment(`s${String(n)}`, events(190));
    const units = counting(trigger);
    trigger.feed(happened({ id: 'm1', name: 'y' }));
    trigger.feed(happened({ id: 'm2', at: T0 + 1, name: 'y' }));
    expect(last(units)).toBeGreaterThan(4_000);
  });

  test('for a look at somebody under rules that are new', () => {
    const trigger = new Trigger();
    trigger.feed(happened({ id: 'm1', name: 'y' }));
    for (let n = 0; n < 100; n += 1) trigger.segment(`s${String(n)}`, attributes(190));
    const units = counting(trigger);
    trigger.feed(happened({ id: 'm2', at: T0 + 1, name: 'y' }));
    expect(last(units)).toBeGreaterThan(2_000);
  });
});

describe('one look has so many steps for what grows with whom it asks', () => {
  test('texts and lists of an event that are searched', () => {
    const search = (value: string) => ({
      event: 'Added to Cart',
      where: [{ property: 'list', operator: 'contains', value }],
    });
    const trigger = new Trigger();
    for (let n = 0; n < 30; n += 1)
      trigger.segment(`s${String(n)}`, group([search(`v${String(n)}`), search('w')]));
    const list = Array.from({ length: 200_000 }, (_, n) => `v${String(n)}`);
    trigger.feed(happened({ id: 'm1', properties: { list } }));
    const entered = lines(trigger.harness.outputs).filter((line) => line.includes('entered'));
    expect(entered.length).toBeGreaterThan(5);
    expect(entered.length).toBeLessThan(30);
    expect(of('eventsDropped', trigger.harness.outputs)).toMatchObject([
      {
        value: {
          reason: 'patterns_too_costly',
          detail: expect.stringContaining(String(patternStepsALookMax)),
        },
      },
    ]);
  });

  test('the objects of a person', () => {
    const asks = {
      relationship: '1',
      object: Array.from({ length: 20 }, (_, n) => ({ property: `p${String(n)}`, operator: 'not_exists' })),
    };
    const trigger = new Trigger();
    for (let n = 0; n < 5; n += 1) trigger.segment(`s${String(n)}`, group(new Array<unknown>(60).fill(asks)));
    const relationships = Array.from({ length: 900 }, (_, n) => ({
      object_type_id: '1',
      object_id: `o${String(n)}`,
    }));
    const fields = { type: 'relate', name: null } as const;
    trigger.feed(happened({ id: 'r1', fields, properties: { action: 'add', relationships } }));
    const dropped = of('eventsDropped', trigger.harness.outputs);
    expect(dropped).toMatchObject([{ value: { reason: 'patterns_too_costly' } }]);
  });
});

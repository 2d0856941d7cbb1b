import { expect, test } from '@jest/globals';
import { T0, Trigger, watermark } from '../testing/scenarios/trigger-scenario.ts';

test('the time of the trigger is the least that every lane partition has said, also after a restart', () => {
  const trigger = new Trigger();
  const time = () => trigger.harness.processor.status();
  for (let source = 0; source < 7; source += 1) trigger.feed(watermark(source, T0 + source));
  expect(time()).toMatchObject({ watermark: 0 });
  trigger.feed(watermark(7, T0 + 7));
  expect(time()).toMatchObject({ watermark: T0 });
  trigger.feed(watermark(0, T0 + 100), watermark(1, T0 - 5), watermark(99, T0));
  expect(time()).toMatchObject({ watermark: T0 + 1 });
  trigger.harness.reopen();
  expect(time()).toMatchObject({ watermark: T0 + 1 });
});

/** Texts of reports are a page's own. However many and however long, a visitor stays as small as the next call can bear. */
import { expect, test } from '@jest/globals';
import { InAppRig, laneOf, SECOND, T0 } from '../testing/scenarios/in-app-rig.ts';
import { answeredBytesMax } from './decide/visitor.ts';
import { InAppProcessor } from './processor.ts';
import { visitorBytes } from './visitor-bytes.ts';

function bytesKept(rig: InAppRig): number {
  const { processor } = rig.harness;
  if (!(processor instanceof InAppProcessor)) throw new Error('the rig has the service of in-app');
  return visitorBytes(processor.visitor(laneOf('ann'), 'ann')).length;
}

test('a visitor whose reports are as long as they may be is bounded, and the latest are known again', async () => {
  const rig = new InAppRig().message('hello', { frequency: { mode: 'always' } });
  const long = '\u0001'.repeat(1_990); // six times as much as JSON
  let last: unknown;
  for (let each = 0; each < 12; each += 1) {
    const at = T0 + each * SECOND;
    const { exposure, show } = await rig.show('hello', at, { exposure: `e${String(each)}` });
    expect(show).toBe(true);
    for (let report = 0; report < 20; report += 1) {
      const action = `${String(report)}${long}`.slice(0, 2_000);
      const { taken } = await rig.report('hello', exposure, at, { event: 'clicked', action });
      expect(taken).toBe(true);
    }
    last = exposure;
  }
  expect(bytesKept(rig)).toBeLessThan(2 * answeredBytesMax);
  const before = rig.told('hello').length;
  expect(await rig.show('hello', T0 + 20 * SECOND, { exposure: last })).toMatchObject({ show: true });
  expect(rig.told('hello')).toHaveLength(before);
  await rig.close();
});

test('a dismissal is one, whichever button it is told of with; clicks are one for each button', async () => {
  const rig = new InAppRig().message('hello');
  const { exposure } = await rig.show('hello', T0);
  const report = (event: string, action?: string) =>
    rig.report('hello', exposure, T0 + SECOND, { event, ...(action !== undefined && { action }) });
  for (const action of ['go', 'go', 'more', undefined]) await report('clicked', action);
  for (const action of ['no', undefined, 'no', 'later']) await report('dismissed', action);
  const told = rig.told('hello').slice(2);
  expect(told).toEqual(['clicked go', 'clicked more', 'clicked', 'dismissed no']);
  await rig.close();
});

/** What a workspace takes of a batch of this service is counted, so that nobody's flood keeps the polls of others waiting. */
import { expect, test } from '@jest/globals';
import { did, InAppRig, T0 } from '../testing/scenarios/in-app-rig.ts';
import { inAppService } from './service.ts';

test('a record costs by what is known of its visitor, which is read and written whole', () => {
  const rig = new InAppRig();
  try {
    const processor = rig.harness.processor;
    const units = (who: string, properties: object): number => {
      rig.feed(did({ who, at: T0, type: 'identify', name: null, properties }));
      return processor.takeUnits?.() ?? 0;
    };
    const small = units('ann', { size: 'M' });
    const first = units(
      'bob',
      Object.fromEntries(
        Array.from({ length: 50 }, (_, i) => [`a${String(i)}`, `${String(i)} `.repeat(250).slice(0, 500)]),
      ),
    );
    const again = units('bob', { a0: 'y' });
    expect(small).toBeGreaterThan(0);
    expect(first).toBeGreaterThan(10 * small);
    expect(again).toBeGreaterThan(first); // read as well as written
    expect(inAppService.share?.unitsMax).toBeLessThan(100 * again);
  } finally {
    void rig.close();
  }
});

test('what polls read is no work of the record in hand, which a replay would count otherwise', async () => {
  const rig = new InAppRig();
  try {
    const { processor } = rig.harness;
    const properties = { note: 'x'.repeat(400) };
    rig.feed(did({ who: 'ann', at: T0, type: 'identify', name: null, properties }));
    processor.takeUnits?.();
    for (let each = 0; each < 20; each += 1) await rig.poll(T0);
    expect(processor.takeUnits?.()).toBe(0);
  } finally {
    await rig.close();
  }
});

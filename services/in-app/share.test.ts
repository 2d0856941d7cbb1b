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
      Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`a${String(i)}`, 'x'.repeat(500)])),
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

test('a record costs by what is to be read of it: numbers one by one', () => {
  const rig = new InAppRig();
  try {
    const units = (context: string): number => {
      const { value, ...record } = did({ at: T0, name: 'Product Viewed' });
      rig.feed({ ...record, value: value && { ...value, context } });
      return rig.harness.processor.takeUnits?.() ?? 0;
    };
    const plain = units('{}');
    const long = units(`{"a":"${'x'.repeat(30_000)}"}`);
    const numbers = units(`{"a":[${'1e10,'.repeat(6_000)}1]}`);
    expect(long).toBeGreaterThan(plain + 200);
    expect(numbers).toBeGreaterThan(plain + 6_000);
    expect(units('{}')).toBeLessThan(2 * plain);
  } finally {
    void rig.close();
  }
});

/** What a workspace takes of a batch of this service is counted, so that nobody's flood keeps the polls of others waiting. */
import { expect, test } from '@jest/globals';
import { patternInstructionsMax, patternTextCodePointsMax } from '../../schemas/http/limits.ts';
import type { Given } from '../testing/processor-harness.ts';
import { did, InAppRig, laneOf, merged, T0, WORKSPACE } from '../testing/scenarios/in-app-rig.ts';
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
    expect(units('{}')).toBeLessThan(plain + 200);
  } finally {
    void rig.close();
  }
});

/** Nearly as large as a pattern may be, on a text as long as one is looked at: nearly all steps of a look. */
const dear = (letter: string) => ({
  operator: 'matches',
  value: `(?:.*${letter}?){${String(Math.floor((patternInstructionsMax - 20) / 5))}}a$`,
});
const letters = ['b', 'c', 'd', 'e', 'f', 'g', 'h'];
const longText = 'a'.repeat(patternTextCodePointsMax);

test('an event that messages ask about with dear patterns is paid for by its workspace', async () => {
  const rig = new InAppRig();
  try {
    const { processor } = rig.harness;
    const units = (at: number): number => {
      rig.feed(did({ at, name: 'Looked', properties: { text: longText } }));
      return processor.takeUnits?.() ?? 0;
    };
    const before = units(T0);
    rig.message('m', { audience: { event: 'Looked', where: [{ property: 'text', ...dear('b') }] } });
    expect(units(T0 + 1)).toBeGreaterThan(before + 20_000);
  } finally {
    await rig.close();
  }
});

test('so is one that may be what messages were for, of a visitor and of a person', async () => {
  const rig = new InAppRig();
  try {
    const { processor } = rig.harness;
    const looked = (at: number) => did({ at, name: 'Looked', properties: { text: longText } });
    const units = (record: Given): number => {
      rig.feed(record);
      return processor.takeUnits?.() ?? 0;
    };
    const conversion = { event: 'Looked', where: [{ property: 'text', ...dear('b') }], within: 'P1D' };
    rig.message('m', { conversion });
    const ofPerson = units(merged('cio_1', looked(T0), T0));
    expect(ofPerson).toBeGreaterThan(20_000);
    const before = units(looked(T0 + 1));
    await rig.show('m', T0 + 2);
    processor.takeUnits?.();
    expect(units(looked(T0 + 3))).toBeGreaterThan(before + 20_000);
  } finally {
    await rig.close();
  }
});

test('a look costs by how many messages are judged', async () => {
  const rig = new InAppRig();
  try {
    const { processor } = rig.harness;
    for (let each = 0; each < 50; each += 1)
      rig.harness.define('message', WORKSPACE, `m${String(each)}`, plain);
    rig.feed();
    processor.takeUnits?.();
    await rig.poll(T0, { user_id: 'known' }); // refused, which is news
    expect(processor.takeUnits?.()).toBeGreaterThan(100);
  } finally {
    await rig.close();
  }
});
const plain = { name: 'm', state: 'running', content: { kind: 'modal', title: 'x' } };

test('a poll has the steps of one look for all messages together', async () => {
  const rig = new InAppRig();
  try {
    for (const letter of letters) {
      const content = { kind: 'inline', element: `#${letter}`, title: 'Hello' };
      rig.message(letter, { content, audience: { attribute: 'text', ...dear(letter) } });
    }
    rig.feed(did({ at: T0, type: 'identify', name: null, properties: { text: longText } }));
    const moment = { at: T0 + 1, page: null, agent: null, isIdentified: false };
    const polled = await rig.onSite.view.poll({
      ...{ workspace: WORKSPACE, lane: laneOf('ann'), anonymousId: 'ann', moment },
    });
    const offered = polled.messages.map(({ message_id: id }) => id);
    expect(offered[0]).toBe('b');
    expect(offered.length).toBeLessThan(letters.length);
    expect(await whoWouldSee(rig, 'h')).toBe('show');
  } finally {
    await rig.close();
  }
});

async function whoWouldSee(rig: InAppRig, messageId: string): Promise<string | undefined> {
  const moment = { at: T0 + 1, page: null, agent: null, isIdentified: false };
  const asked = { workspace: WORKSPACE, lane: laneOf('ann'), anonymousId: 'ann', moment, messageId };
  const why = (await rig.onSite.view.why(asked)) as { readonly outcome?: string } | null;
  return why?.outcome;
}

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

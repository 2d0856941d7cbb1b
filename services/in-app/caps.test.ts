/** What caps of a group count when messages come to it, leave it and are deleted, and when a visitor is full. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DAY, HOUR, InAppRig, SHOP, T0, viewed, WORKSPACE } from '../testing/scenarios/in-app-rig.ts';
import { hasRoom } from './decide/caps.ts';
import { foldEvent } from './decide/fold-event.ts';
import { groupsMax, ledgersMax, newLedger, newVisitor, type Visitor } from './decide/visitor.ts';
import { InAppProcessor } from './processor.ts';

let rig: InAppRig;
beforeEach(() => {
  rig = new InAppRig();
});
afterEach(() => rig.close());

const offers = { caps: { day: 2, group: 'offers' } };

describe('a cap of a group counts', () => {
  test('what was shown before an edit brought its messages into it', async () => {
    for (const id of ['one', 'two', 'three']) rig.message(id);
    await rig.show('one', T0);
    rig.feed(viewed(SHOP, T0 + HOUR));
    await rig.show('two', T0 + HOUR + 1);
    rig.message('one', offers).message('two', offers).message('three', offers);
    rig.feed(viewed(SHOP, T0 + 2 * HOUR));
    for (const id of ['one', 'two', 'three']) {
      expect((await rig.show(id, T0 + 2 * HOUR + 1)).reason).toBe('day_cap');
    }
    expect((await rig.show('three', T0 + DAY)).show).toBe(true);
  });

  test('what was shown in it, once, also of messages that have left it or are deleted', async () => {
    for (const id of ['one', 'two', 'three']) rig.message(id, { caps: { day: 3, group: 'offers' } });
    for (const [hour, id] of ['one', 'two'].entries()) {
      rig.feed(viewed(SHOP, T0 + hour * HOUR));
      expect((await rig.show(id, T0 + hour * HOUR + 1)).show).toBe(true);
    }
    rig.message('one');
    rig.harness.define('message', WORKSPACE, 'two', undefined);
    rig.feed(viewed(SHOP, T0 + 2 * HOUR));
    expect((await rig.show('three', T0 + 2 * HOUR + 1)).show).toBe(true);
    rig.feed(viewed(SHOP, T0 + 3 * HOUR));
    expect((await rig.show('three', T0 + 3 * HOUR + 1)).reason).toBe('day_cap');
  });
});

test('a visitor who is full has room again for what there is: what is deleted goes, and nothing else', () => {
  rig.message('kept').message('new', { caps: { day: 1, group: 'new' } });
  const { processor } = rig.harness;
  if (!(processor instanceof InAppProcessor)) throw new Error('the rig has the service of in-app');
  const messages = processor.messages(WORKSPACE);
  const rule = messages?.byId.get('new');
  if (messages === undefined || rule === undefined) throw new Error('the message is in force');
  const ids = ['kept', ...Array.from({ length: ledgersMax - 1 }, (_, each) => `gone ${String(each)}`)];
  const full: Visitor = {
    ...newVisitor('ann'),
    ledgers: Object.fromEntries(ids.map((id) => [id, { ...newLedger, dismissedAt: T0 }])),
    groups: Object.fromEntries(Array.from({ length: groupsMax }, (_, each) => [`g${String(each)}`, [T0]])),
    answered: ['kept', 'gone 1'].map((messageId) => ({
      exposure: messageId,
      messageId,
      reason: null,
      reports: [],
    })),
  };
  expect(hasRoom(full, rule)).toBe(false);
  const event = { ...visited, receivedAt: T0 };
  const { visitor } = foldEvent(full, event, messages);
  expect(hasRoom(visitor, rule)).toBe(true);
  expect([visitor.ledgers, visitor.groups, visitor.answered]).toEqual([
    { kept: full.ledgers['kept'] },
    {},
    [full.answered[0]],
  ]);
  expect(foldEvent(full, event, { ...messages, unreadable: 1 }).visitor.ledgers).toEqual(full.ledgers);
});

const visited = {
  type: 'page',
  name: SHOP,
  messageId: 'm',
  timestamp: T0,
  namesSomebody: false,
  isBot: false,
  properties: null,
  context: null,
} as const;

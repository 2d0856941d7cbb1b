/**
 * What somebody with a page's public key may do, each aimed at one bound. `size` is 1 in the long run and less in the
 * short one: how much is sent goes by it, what is tried does not.
 */
import { times, type Attack } from './attack.ts';
import { evilAttacks } from './evil-attacks.ts';

const control = '\u0001';

function publicKey(name: string, run: Attack['run']): Attack {
  return { name, by: 'public key', run };
}

const publicAttacks: readonly Attack[] = [
  publicKey('lists that add up on one profile', (caller, size) =>
    caller.batch(
      times(1_000 * size, (i) => ({
        type: 'identify',
        userId: 'glutton',
        traits: { [`list_${String(i)}`]: Array<string>(290).fill('x'.repeat(100)), plan: 'pro' },
      })),
    ),
  ),
  publicKey('attributes of control characters on one profile', (caller, size) =>
    caller.batch(
      times(2_000 * size, (i) => ({
        type: 'identify',
        userId: 'bell-ringer',
        traits: Object.fromEntries(
          Array.from({ length: 5 }, (_, each) => [
            `a${String(i % 400)}_${String(each)}`,
            control.repeat(1_000),
          ]),
        ),
      })),
    ),
  ),
  publicKey('JSON as deep as it is taken, and deeper', async (caller, size) => {
    const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
    for (let each = 0; each < Math.max(2, 100 * size); each += 1) {
      for (const depth of [90, 99, 101, 20_000]) {
        const deep = nested(depth);
        await caller.pipelines(
          '/track',
          `{"userId":"deep","event":"Deep","properties":${deep},"context":${deep}}`,
        );
        await caller.pipelines('/identify', `{"userId":"deep","traits":{"deep_${String(each)}":${deep}}}`);
      }
    }
  }),
  publicKey('a visitor of very many events, then claimed', async (caller, size) => {
    await caller.batch(
      times(1_000_000 * size, (i) => ({
        type: 'track',
        anonymousId: 'crawler',
        event: 'Hit',
        messageId: `h${String(i)}`,
      })),
    );
    await caller.pipelines('/identify', { anonymousId: 'crawler', userId: 'crawler-owner' });
  }),
  publicKey('very many anonymous ids of one email', (caller, size) =>
    caller.batch(
      times(100_000 * size, (i) => [
        { type: 'track', anonymousId: `kiosk-${String(i)}`, event: 'Hit' },
        { type: 'identify', anonymousId: `kiosk-${String(i)}`, traits: { email: 'kiosk@shop.example' } },
      ]),
    ),
  ),
  publicKey('new people without end', (caller, size) =>
    caller.batch(
      times(50_000 * size, (i) => ({ type: 'identify', userId: `nobody-${String(i)}`, traits: { n: i } })),
    ),
  ),
  publicKey('ids and emails that merge by themselves', (caller, size) =>
    caller.batch(
      times(5_000 * size, (i) => [
        { type: 'identify', userId: `twin-${String(i)}` },
        { type: 'identify', traits: { email: `twin-${String(i)}@shop.example` } },
        {
          type: 'identify',
          userId: `twin-${String(i)}`,
          traits: { email: `twin-${String(i)}@shop.example` },
        },
      ]),
    ),
  ),
  publicKey('event names without end', (caller, size) =>
    caller.batch(
      times(100_000 * size, (i) => ({
        type: 'track',
        userId: `namer-${String(i % 100)}`,
        event: `Name ${String(i)} ${'x'.repeat(80)}`,
      })),
    ),
  ),
  publicKey('new visitors without end', (caller, size) =>
    caller.batch(
      times(300_000 * size, (i) => ({ type: 'track', anonymousId: `passer-by-${String(i)}`, event: 'Hit' })),
    ),
  ),
  publicKey('message ids: one again and again, and long ones', (caller, size) =>
    caller.batch(
      times(50_000 * size, (i) => [
        { type: 'track', anonymousId: 'stutterer', event: 'Hit', messageId: 'again' },
        {
          type: 'track',
          anonymousId: 'stutterer',
          event: 'Hit',
          messageId: `${String(i)}${'m'.repeat(200)}`,
        },
      ]),
    ),
  ),
  publicKey('objects without end on one person', (caller, size) =>
    caller.batch(
      times(10_000 * size, (i) => ({
        type: 'group',
        userId: 'joiner',
        groupId: `club-${String(i)}`,
        traits: { name: control.repeat(900) },
      })),
    ),
  ),
  publicKey('bodies that are none', async (caller, size) => {
    for (let each = 0; each < Math.max(2, 200 * size); each += 1) {
      for (const body of [
        '',
        '{',
        '[]',
        'null',
        '{"batch":[1,null,[],{}]}',
        `"${'x'.repeat(100_000)}"`,
        '[['.repeat(50_000),
      ]) {
        await caller.pipelines('/batch', body);
      }
    }
  }),
];

export const attacks: readonly Attack[] = [...publicAttacks, ...evilAttacks];

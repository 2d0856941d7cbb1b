/** Two gateways on one log: what one has written the other has, and of two that write at once nothing is lost unseen. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { localCodecs } from '../../schemas/codec.ts';
import { toWorkspace } from '../../schemas/ids.ts';
import { silentLogger } from '../runtime/logger.ts';
import { systemTime } from '../runtime/time.ts';
import { MemoryBroker } from '../testing/memory/memory-broker.ts';
import { MemoryLog } from '../testing/memory/memory-log.ts';
import { DefinitionsLog } from './definitions-log.ts';
import type { FileKey } from './keys/key-ring.ts';
import { KeysLog } from './keys/keys-log.ts';

const codecs = localCodecs();
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

async function portsOn(broker: MemoryBroker) {
  const log = new MemoryLog(broker);
  return {
    log,
    producer: await log.producer(),
    logger: silentLogger,
    learnSchema: () => Promise.resolve(),
    now: () => 5,
  };
}

async function definitionsOn(broker: MemoryBroker): Promise<DefinitionsLog> {
  const definitions = new DefinitionsLog({ ...(await portsOn(broker)), codec: codecs.Definition });
  await definitions.open();
  opened.push(definitions);
  return definitions;
}

async function keysOn(broker: MemoryBroker, fromFile: readonly FileKey[] = []): Promise<KeysLog> {
  const keys = new KeysLog({
    ...(await portsOn(broker)),
    codec: codecs.KeyChange,
    fromFile,
    replaceInFile: () => undefined,
  });
  await keys.open();
  opened.push(keys);
  return keys;
}

async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await systemTime.sleep(5);
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('two gateways that write definitions', () => {
  test('of one id at once: every write has a version of its own, and both fold the same', async () => {
    const broker = new MemoryBroker(systemTime, 1);
    const [one, two] = [await definitionsOn(broker), await definitionsOn(broker)];
    const answers = await Promise.all(
      numbers(10).flatMap((number) =>
        [one, two].map((gateway, at) => gateway.put('segment', 'shop', 's', { body: { number, at } })),
      ),
    );
    expect(answers.map((stored) => stored?.version).sort((a = 0, b = 0) => a - b)).toEqual(numbers(20));
    // Each is told of what itself has written.
    expect(answers.map((stored) => stored?.body)).toEqual(
      numbers(10).flatMap((number) => [0, 1].map((at) => ({ number, at }))),
    );
    const last = answers.find((stored) => stored?.version === 20)?.body;
    const third = await definitionsOn(broker);
    for (const gateway of [one, two, third]) {
      expect(gateway.get('segment', 'shop', 's')).toMatchObject({ version: 20, body: last });
    }
  });

  test('one removes what the other changes: whoever was second sees what the first has done', async () => {
    const broker = new MemoryBroker(systemTime, 1);
    const [one, two] = [await definitionsOn(broker), await definitionsOn(broker)];
    await one.put('segment', 'shop', 's', { body: { first: true } });
    await Promise.all([one.remove('segment', 'shop', 's'), two.put('segment', 'shop', 's', { body: {} })]);
    const third = await definitionsOn(broker);
    const stored = third.get('segment', 'shop', 's');
    expect([one.get('segment', 'shop', 's'), two.get('segment', 'shop', 's')]).toEqual([stored, stored]);
    expect(await third.put('segment', 'shop', 's', { body: {} })).toMatchObject({ version: 4 });
  });
});

describe('two gateways that make and end keys', () => {
  const shop = toWorkspace('shop');
  const fileKey = { kind: 'server', workspace: shop, secret: 'old', siteId: null } as const;

  test('what one makes the other opens, what one revokes the other closes, and a third finds it so', async () => {
    const broker = new MemoryBroker(systemTime, 1);
    const [one, two] = [await keysOn(broker), await keysOn(broker)];
    const made = await one.keys.make({ workspace: shop, kind: 'server', name: 'x', by: '' });
    if (typeof made === 'string') throw new Error(made);
    const secret = made.credentials['write_key'] ?? '';
    await eventually(() => two.keys.find('write', secret) !== undefined);
    await two.keys.revoke(made.key.id, '');
    expect(two.keys.find('write', secret)).toBeUndefined();
    await eventually(() => one.keys.find('write', secret) === undefined);
    const third = await keysOn(broker);
    expect(third.keys.find('write', secret)).toBeUndefined();
  });

  test('a workspace that is made on both at once has working keys from each answer that tells some', async () => {
    const broker = new MemoryBroker(systemTime, 1);
    const [one, two] = [await keysOn(broker), await keysOn(broker)];
    const answers = await Promise.all([one, two, one, two].map(({ keys }) => keys.ensure(shop)));
    expect(answers[2]).toEqual(answers[0]);
    const third = await keysOn(broker);
    const told = answers.filter((credentials) => credentials !== undefined);
    expect(told.length).toBeGreaterThan(0);
    for (const credentials of told) {
      expect(third.keys.find('app', credentials.app_key ?? '')).toMatchObject({ workspace: 'shop' });
      const pair = `${credentials.site_id ?? ''}:${credentials.api_key ?? ''}`;
      expect(third.keys.find('track', pair)).toMatchObject({ workspace: 'shop' });
    }
  });

  test('credentials.json of an earlier version: its keys go to the topic once, where all have them', async () => {
    const broker = new MemoryBroker(systemTime, 1);
    await keysOn(broker, [fileKey]);
    const elsewhere = await keysOn(broker);
    expect(elsewhere.keys.find('write', 'old')).toMatchObject({ workspace: 'shop', kind: 'server' });
    const before = broker.committed('keysChanged').filter(({ record }) => !isUse(record.value));
    await keysOn(broker, [fileKey]);
    expect(broker.committed('keysChanged').filter(({ record }) => !isUse(record.value))).toEqual(before);
    expect(before).toHaveLength(1);
  });

  test('no secret is on the topic', async () => {
    const broker = new MemoryBroker(systemTime, 1);
    const { keys } = await keysOn(broker, [fileKey]);
    const credentials = { ...(await keys.ensure(toWorkspace('other'))), write_key_of_shop: 'old' };
    const bytes = Buffer.concat(
      broker
        .committed('keysChanged')
        .flatMap(({ record }) => [record.key, record.value].filter((each) => each !== null)),
    ).toString('latin1');
    const { site_id: site = '', ...secrets } = credentials as Record<string, string>;
    expect(bytes).toContain(site); // it is no secret
    for (const secret of Object.values(secrets)) expect(bytes).not.toContain(secret);
  });

  const isUse = (value: Buffer | null): boolean =>
    value !== null && codecs.KeyChange.decode(value).change === 'used';
});

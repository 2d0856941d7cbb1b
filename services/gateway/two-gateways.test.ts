/** Two gateways on one log: what one has written the other has, and of two that write at once nothing is lost unseen. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { localCodecs } from '../../schemas/codec.ts';
import { silentLogger } from '../runtime/logger.ts';
import { systemTime } from '../runtime/time.ts';
import { MemoryBroker } from '../testing/memory/memory-broker.ts';
import { MemoryLog } from '../testing/memory/memory-log.ts';
import { DefinitionsLog } from './definitions-log.ts';

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

/** Once the past of rules is in, people are looked at workspace by workspace, in turn, and again so after a crash. */
import { expect, test } from '@jest/globals';
import { localCodecs } from '../../schemas/codec.ts';
import { mergedEvent } from '../../schemas/merged-event.ts';
import { collectedEvent } from '../testing/collected-event.ts';
import { given, of, ProcessorHarness, type Given, type Output } from '../testing/processor-harness.ts';
import { T0 } from '../testing/scenarios/trigger-scenario.ts';
import { encodePast } from './past-messages.ts';
import { refreshedABatchMax } from './pasts.ts';
import { triggerServiceWith } from './service.ts';

const codecs = localCodecs();
const people = 3 * refreshedABatchMax;
/** True of everybody, and counts. */
const when = { not: { event: 'Order Completed', count: { at_least: 5 } } };

function came(workspace: string, person: number): Given {
  const name = `p${String(person).padStart(5, '0')}`;
  const event = collectedEvent({
    workspace,
    name: 'Came',
    message_id: `${workspace}${name}`,
    received_at: T0,
    timestamp: T0,
  });
  const value = mergedEvent({ kind: 'event', workspace, person_id: name, merged_at: T0, event });
  return given('eventsMerged', `${workspace}:${name}`, value);
}
function ended(workspace: string, version: number): Given {
  const message = { type: 'end', rules: { 's:keen': version }, from: '' } as const;
  const value = codecs.Transfer.decode(encodePast(codecs, workspace, '', message));
  return given('triggerTransfers', `${workspace}:`, value);
}
const enteredBy = (outputs: readonly Output[]) => {
  const changes = of('segmentsChanged', outputs).map(({ value }) => value.workspace);
  return [changes.filter((name) => name === 'a').length, changes.filter((name) => name === 'z').length];
};

test('none waits for another to be done, and a crash changes nothing of it', () => {
  const harness = new ProcessorHarness(triggerServiceWith({ hasPasts: true }), { partitions: 1 });
  for (const workspace of ['z', 'a'])
    harness.batch(T0, ...Array.from({ length: people }, (_, person) => came(workspace, person)));
  // Each is met, and its past told to be over, z before a.
  harness.define('segment', 'z', 'keen', { name: 'Keen', type: 'data_driven', when });
  harness.batch(T0 + 1);
  harness.define('segment', 'a', 'keen', { name: 'Keen', type: 'data_driven', when });
  harness.batch(T0 + 2);
  const first = harness.batch(T0 + 3, ended('z', 1), ended('a', 2));
  harness.flush();
  const next = [harness.batch(T0 + 4), harness.batch(T0 + 5), harness.batch(T0 + 6)].flat();
  const [a = 0, z = 0] = enteredBy([...first, ...next]);
  expect([a, z]).toEqual([2 * refreshedABatchMax, 2 * refreshedABatchMax]);
  harness.crash();
  harness.idle(T0 + 7);
  expect(enteredBy(harness.outputs)).toEqual([people, people]);
});

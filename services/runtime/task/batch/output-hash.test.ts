import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { partitionOf } from '../../../../schemas/partitioner.ts';
import { ShellEmitter } from './emitter.ts';
import { OutputHash } from './output-hash.ts';

type Output = readonly [key: Uint8Array, value: Uint8Array];
const PLACE = 7;

function hashOf(outputs: readonly Output[]): number {
  const hash = new OutputHash();
  for (const [key, value] of outputs) hash.add(PLACE, key, value);
  return hash.finish();
}
const bytes = (text: string): Buffer => Buffer.from(text);
const output = fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40_000 }));

describe('the hash of outputs', () => {
  test('is the same for the same outputs, whatever was hashed before', () => {
    fc.assert(
      fc.property(
        fc.array(output, { maxLength: 6 }),
        fc.array(output, { maxLength: 3 }),
        (outputs, before) => {
          const used = new OutputHash();
          for (const [key, value] of before) used.add(PLACE, key, value);
          used.finish();
          for (const [key, value] of outputs) used.add(PLACE, key, value);
          expect(used.records).toBe(outputs.length);
          expect(used.finish()).toBe(hashOf(outputs));
        },
      ),
    );
  });
  test('changes with any byte', () => {
    fc.assert(
      fc.property(
        fc.array(output, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        fc.nat(),
        (outputs, which, where) => {
          const [key, value] = outputs[which % outputs.length] ?? [new Uint8Array(), new Uint8Array()];
          if (value.length === 0) return;
          const before = hashOf(outputs);
          const changed = Uint8Array.from(value);
          const at = where % value.length;
          changed[at] = (changed[at] ?? 0) ^ 1;
          expect(hashOf(outputs.map((each) => (each[1] === value ? [key, changed] : each)))).not.toBe(before);
        },
      ),
    );
  });
  test('changes with the order, and with where a key ends', () => {
    const [a, b] = [
      [bytes('a'), bytes('1')],
      [bytes('b'), bytes('2')],
    ] as const;
    expect(hashOf([a, b])).not.toBe(hashOf([b, a]));
    expect(hashOf([[bytes('ab'), bytes('c')]])).not.toBe(hashOf([[bytes('a'), bytes('bc')]]));
    expect(hashOf([[bytes(''), bytes('')]])).not.toBe(hashOf([]));
  });
  test('changes with the topic, and with the partition that an output goes to', () => {
    const hashOfOne = (emit: (to: ShellEmitter) => void): number | undefined => {
      const emitter = new ShellEmitter(8, undefined);
      emitter.from(3);
      emit(emitter);
      return emitter.takeHashes()[0]?.hash;
    };
    const [key, value] = [bytes('key'), bytes('value')];
    const places = (['eventsMerged', 'eventsDropped', 'activitiesLogged'] as const).flatMap((topic) =>
      [0, 1, 7].map((partition) =>
        hashOfOne((to) => {
          to.emitTo(topic, partition, key, value);
        }),
      ),
    );
    expect(new Set(places).size).toBe(places.length);
    const byKey = hashOfOne((to) => {
      to.emit('eventsMerged', key, value);
    });
    const byPartition = hashOfOne((to) => {
      to.emitTo('eventsMerged', partitionOf(key, 8), key, value);
    });
    expect(byKey).toBe(byPartition);
  });
});

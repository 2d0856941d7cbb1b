/** Whoever opens connections and says nothing shuts the door for nobody. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../testing/runs.ts';
import { Connections } from './connections.ts';

class Door {
  readonly connections: Connections;
  readonly open = new Map<string, { readonly key: object; readonly address: string; busy: boolean }>();
  readonly ended: string[] = [];
  #number = 0;

  constructor(openMax: number, perAddressMax: number) {
    this.connections = new Connections({ openMax, perAddressMax });
  }
  /** Its name, undefined when it was refused. */
  from(address: string): string | undefined {
    this.#number += 1;
    const name = `${address}${String(this.#number)}`;
    const key = {};
    const end = () => {
      this.ended.push(name);
      this.open.delete(name);
    };
    if (!this.connections.opened(key, address, end)) return undefined;
    this.open.set(name, { key, address, busy: false });
    return name;
  }
  set(name: string, busy: boolean): void {
    const found = this.open.get(name);
    if (found === undefined) return;
    found.busy = busy;
    if (busy) this.connections.busy(found.key);
    else this.connections.waiting(found.key);
  }
  close(name: string): void {
    const found = this.open.get(name);
    if (found === undefined) return;
    this.connections.closed(found.key);
    this.open.delete(name);
  }
  of(address: string): number {
    return [...this.open.values()].filter((each) => each.address === address).length;
  }
}

describe('connections', () => {
  test('of an address that has as many as it may end its own that has waited for longest', () => {
    const door = new Door(10, 2);
    const [first = '', second = ''] = [door.from('a'), door.from('a')];
    door.set(first, true);
    door.set(first, false); // it has waited since now
    door.from('a');
    expect(door.ended).toEqual([second]);
    expect(door.of('a')).toBe(2);
  });

  test('that are busy are never ended: the newcomer is refused', () => {
    const door = new Door(10, 2);
    for (const name of [door.from('a'), door.from('a')]) door.set(name ?? '', true);
    expect(door.from('a')).toBeUndefined();
    expect(door.connections.state).toEqual({ open: 2, addresses: 1, ended: 0, refused: 1 });
    expect(door.from('b')).toBeDefined();
  });

  test('of many make room for one of somebody else', () => {
    const door = new Door(100, 100);
    const first = door.from('a');
    for (let each = 1; each < 10_000; each += 1) door.from('a');
    expect(door.from('b')).toBeDefined();
    expect(door.ended[0]).toBe(first);
    expect([door.of('a'), door.of('b')]).toEqual([99, 1]);
  });

  test('whatever happens: no bound is passed, nobody who is answered is cut off, and whoever has fewest gets in', () => {
    const address = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('open' as const), address }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('busy', 'wait', 'close'), at: fc.nat(20) }) },
    );
    const bounds = fc.record({
      openMax: fc.integer({ min: 1, max: 9 }),
      perAddressMax: fc.integer({ min: 1, max: 6 }),
    });
    fc.assert(
      fc.property(bounds, fc.array(step, { maxLength: 80 }), ({ openMax, perAddressMax }, steps) => {
        const door = new Door(openMax, perAddressMax);
        for (const each of steps) {
          const before = new Map([...door.open].map(([name, { busy }]) => [name, busy]));
          if (each.do === 'open') {
            const sizes = ['a', 'b', 'c', 'd'].map((one) => door.of(one));
            const own = door.of(each.address);
            const waits = [...door.open.values()].filter(({ busy }) => !busy);
            const ofOwn = waits.filter((one) => one.address === each.address);
            const name = door.from(each.address);
            if (own < perAddressMax)
              expect(name !== undefined).toBe(before.size < openMax || waits.length > 0);
            else expect(name !== undefined).toBe(ofOwn.length > 0);
            const ended = [...before.keys()].filter((one) => !door.open.has(one));
            expect(ended.length).toBeLessThanOrEqual(1);
            for (const one of ended) {
              expect(before.get(one)).toBe(false);
              const size = sizes['abcd'.indexOf(one.charAt(0))] ?? 0;
              const mayEnd =
                own >= perAddressMax ? [own] : waits.map(({ address: of }) => sizes['abcd'.indexOf(of)] ?? 0);
              expect(size).toBe(Math.max(...mayEnd));
            }
          } else {
            const name = [...door.open.keys()][each.at];
            if (name === undefined) continue;
            if (each.do === 'close') door.close(name);
            else door.set(name, each.do === 'busy');
          }
          expect(door.open.size).toBeLessThanOrEqual(openMax);
          for (const one of ['a', 'b', 'c', 'd']) expect(door.of(one)).toBeLessThanOrEqual(perAddressMax);
          const addresses = new Set([...door.open.values()].map((one) => one.address)).size;
          expect(door.connections.state).toMatchObject({ open: door.open.size, addresses });
        }
      }),
      { numRuns: runs(300) },
    );
  });
});

import { describe, expect, test } from '@jest/globals';
import { memoryStores } from '../../testing/memory/memory-stores.ts';
import { OpenMarkers, type Marker } from './markers.ts';

const marker = (number: number, offset: number, strict: boolean): Marker => {
  return { workspace: 'shop', number, offset, receivedAt: offset, strict };
};

describe('a marker is passed', () => {
  test('of a deletion or suppression once what stands before it has been asked', () => {
    const markers = new OpenMarkers(memoryStores({}).keyed);
    markers.open(marker(1, 10, false));
    expect(markers.pass(() => ({ asked: 10, done: 3 }))).toEqual([]);
    expect(markers.pass(() => ({ asked: 11, done: 3 }))).toEqual([marker(1, 10, false)]);
    expect(markers.anyUnpassed).toBe(false);
  });

  test('of a merge or split only once what stands before it is done', () => {
    const markers = new OpenMarkers(memoryStores({}).keyed);
    markers.open(marker(1, 10, true));
    expect(markers.pass(() => ({ asked: 20, done: 10 }))).toEqual([]);
    expect(markers.pass(() => ({ asked: 20, done: 11 }))).toEqual([marker(1, 10, true)]);
  });

  test('whatever stands before it of another workspace, whose calls may have to wait', () => {
    const markers = new OpenMarkers(memoryStores({}).keyed);
    const evil = { ...marker(1, 10, true), workspace: 'evil' };
    for (const each of [evil, marker(2, 12, true)]) markers.open(each);
    const done = (workspace: string) => ({ asked: 20, done: workspace === 'evil' ? 5 : Infinity });
    expect(markers.pass(done)).toEqual([marker(2, 12, true)]);
    expect(markers.anyUnpassed).toBe(true);
    expect(markers.pass(() => ({ asked: 20, done: 11 }))).toEqual([evil]);
  });

  test('in order: one that waits holds those behind it', () => {
    const { keyed } = memoryStores({});
    const markers = new OpenMarkers(keyed);
    markers.open(marker(1, 10, true));
    markers.open(marker(2, 12, false));
    expect(markers.pass(() => ({ asked: 20, done: 5 }))).toEqual([]);
    const again = new OpenMarkers(keyed); // as after a restart
    expect(again.pass(() => ({ asked: 20, done: 5 }))).toEqual([]);
    expect(again.pass(() => ({ asked: 20, done: 11 }))).toEqual([marker(2, 12, false)]); // the last stands for both
  });
});

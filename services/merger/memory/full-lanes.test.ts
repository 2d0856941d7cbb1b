import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from '../../runtime/errors.ts';
import { openPartitionStores } from '../../runtime/store/open-stores.ts';
import type { PartitionStores } from '../../runtime/store/ports.ts';
import { FullLanes } from './full-lanes.ts';
import { waitingMs } from '../decide/limits.ts';
import { lanesService } from '../service.ts';
import { runs } from '../../testing/runs.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = 500_000 * HOUR;
const EVENTS_MAX = 5;
const key = Buffer.from('shop:a:kiosk');
const value = Buffer.from('visit');

/** A lane that is offered events; what is kept, as the shell keeps it. */
class Kiosk {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hindsight-full-'));
  #stores: PartitionStores = this.#open();
  #full = this.#lanes();

  offer(receivedAt: number): boolean {
    const { events } = this.#stores;
    assert(events !== undefined, 'lanes have an event store');
    const slot = events.lane(key, 0, key.length);
    if (!this.#full.hasRoom(slot, receivedAt)) return false;
    events.append(slot, 'waiting', receivedAt, receivedAt, value, 0, value.length);
    return true;
  }
  restart(): void {
    this.#stores.committed(this.#stores.mark + 1);
    this.#stores.close();
    this.#stores = this.#open();
    this.#full = this.#lanes();
  }
  end(): void {
    this.#stores.committed(this.#stores.mark + 1);
    this.#stores.close();
    rmSync(this.#folder, { recursive: true });
  }

  #open(): PartitionStores {
    return openPartitionStores(this.#folder, lanesService.stores);
  }
  #lanes(): FullLanes {
    assert(this.#stores.events !== undefined, 'lanes have an event store');
    return new FullLanes(this.#stores.events, this.#stores.keyed, EVENTS_MAX);
  }
}

describe('a lane has room', () => {
  test('for so many events as may wait, and again once some of them have expired', () => {
    const kiosk = new Kiosk();
    const kept = Array.from({ length: 8 }, (_, day) => kiosk.offer(START + day * DAY));
    expect(kept).toEqual([true, true, true, true, true, false, false, false]);
    expect(kiosk.offer(START + waitingMs)).toBe(false); // exactly 30 days is within
    expect(kiosk.offer(START + waitingMs + HOUR)).toBe(true); // the first has gone
    expect(kiosk.offer(START + waitingMs + HOUR)).toBe(false);
    expect(kiosk.offer(START + waitingMs + 2 * DAY + HOUR)).toBe(true);
    kiosk.end();
  });

  test('for ever, if it never has too many at a time', () => {
    const kiosk = new Kiosk();
    for (let at = START; at < START + 40 * waitingMs; at += waitingMs / (EVENTS_MAX - 1)) {
      expect(kiosk.offer(at)).toBe(true);
    }
    kiosk.end();
  });

  test('or not, as those say that are within 30 days, whatever came before and whenever it starts anew', () => {
    const gap = fc.oneof(fc.nat(2 * HOUR), fc.nat(12 * DAY), fc.constant(waitingMs));
    const arrivals = fc.array(
      fc.record({ gap, restarts: fc.integer({ min: 0, max: 9 }), late: fc.nat(HOUR) }),
      {
        maxLength: 60,
        size: 'max',
      },
    );
    fc.assert(
      fc.property(arrivals, (all) => {
        const kiosk = new Kiosk();
        const waiting: number[] = [];
        let time = START;
        for (const { gap: after, restarts, late } of all) {
          time += after;
          const receivedAt = time - late;
          if (restarts === 0) kiosk.restart();
          // Whole hours: an event counts until the last of its hour is out.
          const from = Math.floor((receivedAt - waitingMs) / HOUR) * HOUR;
          const room = waiting.filter((at) => at >= from).length < EVENTS_MAX;
          expect(kiosk.offer(receivedAt)).toBe(room);
          if (room) waiting.push(receivedAt);
        }
        kiosk.end();
      }),
      { numRuns: runs(6) },
    );
  });
});

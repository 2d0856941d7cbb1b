/**
 * Control calls of whom only markers have been heard. Ingest writes the markers first, so a lane partition may read one
 * before the call itself has come; and if ingest dies in between, the call never comes, and lanes would ask at every
 * event for ever. So identity gives it up after abandonMs, by the append times of its own input, and says so.
 *
 * Nothing waits for such a call: nobody has been told that it was taken, so it may as well come after what is decided
 * now. A call that comes although it was given up is decided like any other, and was not acknowledged either.
 */
import { abandonMs } from '../../../schemas/control-markers.ts';
import type { KeyedStore } from '../../runtime/store/ports.ts';

export interface AwaitedControl {
  readonly workspace: string;
  readonly number: number;
}
interface Awaited extends AwaitedControl {
  /** Append time of the record that told of it first, ms. */
  readonly since: number;
  /** Times may be equal, and a restart must not change who is given up first. */
  readonly order: number;
}

/** Above it the oldest is given up. */
export const awaitedControlsMax = 10_000;
const FROM = 'x/';
const TO = 'x0';

export class AwaitedControls {
  readonly #store: KeyedStore;
  /** In the order in which they were heard of. */
  readonly #calls = new Map<string, Awaited>();
  #nextOrder = 1;

  constructor(store: KeyedStore) {
    this.#store = store;
    const rows = store.scan(FROM, TO, awaitedControlsMax + 1);
    const calls = rows.map(([key, value]) => [key, JSON.parse(value.toString()) as Awaited] as const); // written by heard
    calls.sort(([, a], [, b]) => a.order - b.order);
    for (const [key, call] of calls) {
      this.#calls.set(key, call);
      this.#nextOrder = call.order + 1;
    }
  }

  /** A lane partition has read a marker of it. */
  heard({ workspace, number }: AwaitedControl, appendedAt: number): void {
    const key = keyOf({ workspace, number });
    if (this.#calls.has(key)) return;
    const call = { workspace, number, since: appendedAt, order: this.#nextOrder };
    this.#nextOrder += 1;
    this.#calls.set(key, call);
    this.#store.put(key, Buffer.from(JSON.stringify(call)));
  }

  /** The call is there. */
  arrived(call: AwaitedControl): void {
    this.#forget(keyOf(call));
  }

  /** Takes out one that will never come, as of a record appended at this time. */
  takeAbandoned(appendedAt: number): AwaitedControl | undefined {
    const [oldest] = this.#calls;
    if (oldest === undefined) return undefined;
    const [key, call] = oldest;
    if (appendedAt - call.since <= abandonMs && this.#calls.size <= awaitedControlsMax) return undefined;
    this.#forget(key);
    return call;
  }

  #forget(key: string): void {
    if (this.#calls.delete(key)) this.#store.delete(key);
  }
}

function keyOf({ workspace, number }: AwaitedControl): string {
  return `${FROM}${workspace}/${String(number)}`;
}

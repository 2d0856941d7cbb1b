/**
 * Control calls that this partition has read the markers of and that identity has not decided: what lanes remember of
 * people does not count for events behind the marker until then (docs/control-calls.md). All of the
 * workspace's people: a call may name a person by an identifier that no lane of this partition has ever seen.
 *
 * Kept in the keyed store under `m/`. States of a marker: open (read), passed (every record before it has had its whole
 * effect, and identity has been told, so that the call need not wait for the next watermark), then gone (ended).
 */
import { CodedError } from '../../runtime/errors.ts';
import type { KeyedStore } from '../../runtime/store/ports.ts';
import { WorkspaceCounts } from '../../runtime/workspace-counts.ts';
import { openMarkersBounds, openMarkersMax } from '../decide/limits.ts';
import type { Progress } from './busy-lanes.ts';

export interface Marker {
  readonly workspace: string;
  /** Of its call. */
  readonly number: number;
  /** On events.collected. */
  readonly offset: number;
  readonly receivedAt: number;
  /** Its call waits until everything before it is done; others, until it has been asked. */
  readonly strict: boolean;
}
interface Row extends Marker {
  readonly passed: boolean;
}

const FROM = 'm/';
const TO = 'm0';

export class OpenMarkers {
  readonly #keyed: KeyedStore;
  /** By workspace, then in the order of the log. */
  readonly #open = new Map<string, Map<number, Marker>>();
  /** By workspace, then in the order of the log: what one workspace has in hand holds up no other's calls. */
  readonly #unpassed = new Map<string, Map<number, Marker>>();
  readonly #counts: WorkspaceCounts;

  constructor(keyed: KeyedStore, bounds = openMarkersBounds) {
    this.#keyed = keyed;
    this.#counts = new WorkspaceCounts(bounds);
    const rows = keyed
      .scan(FROM, TO, openMarkersMax)
      .map(([, value]) => JSON.parse(value.toString()) as Row) // written by #put
      .sort((a, b) => a.offset - b.offset);
    for (const row of rows) this.#add(row, row.passed);
  }

  get count(): number {
    return this.#counts.total;
  }
  /** May more calls of this workspace be under way? */
  hasRoom(workspace: string): boolean {
    return this.#counts.hasRoomOf(workspace);
  }

  open(marker: Marker): void {
    if (this.#open.get(marker.workspace)?.has(marker.number) === true) return;
    if (this.count >= openMarkersMax) {
      throw new CodedError(
        'lanes_overloaded',
        `could not take another control call: ${String(openMarkersMax)} are not decided`,
      );
    }
    this.#add(marker, false);
    this.#put(marker, false);
  }

  /** The call is decided, or will never come. */
  end(workspace: string, number: number): void {
    const markers = this.#open.get(workspace);
    const marker = markers?.get(number);
    if (markers === undefined || marker === undefined) return;
    markers.delete(number);
    if (markers.size === 0) this.#open.delete(workspace);
    this.#counts.addOf(workspace, -1);
    this.#forgetUnpassed(marker);
    this.#keyed.delete(keyOf(marker));
  }

  isOpen(workspace: string): boolean {
    return this.#open.has(workspace);
  }

  /** Does one of the workspace's stand before this offset? */
  standBefore(workspace: string, offset: number): boolean {
    const first = this.#open.get(workspace)?.values().next().value;
    return first !== undefined && first.offset < offset;
  }

  get anyUnpassed(): boolean {
    return this.#unpassed.size > 0;
  }

  /** Passes the markers that nothing of their workspace stands before; of each workspace the last, for all before it. */
  pass(progressOf: (workspace: string) => Progress): readonly Marker[] {
    const last = new Map<string, Marker>();
    for (const [workspace, markers] of this.#unpassed) {
      const { asked, done } = progressOf(workspace);
      for (const marker of markers.values()) {
        if (marker.offset >= (marker.strict ? done : asked)) break;
        this.#forgetUnpassed(marker);
        this.#put(marker, true);
        last.set(workspace, marker);
      }
    }
    return [...last.values()];
  }

  #forgetUnpassed({ workspace, number }: Marker): void {
    const markers = this.#unpassed.get(workspace);
    markers?.delete(number);
    if (markers?.size === 0) this.#unpassed.delete(workspace);
  }

  #add(marker: Marker, passed: boolean): void {
    const { workspace, number, offset, receivedAt, strict } = marker;
    const plain = { workspace, number, offset, receivedAt, strict };
    const markers = this.#open.get(workspace);
    if (markers === undefined) this.#open.set(workspace, new Map([[number, plain]]));
    else markers.set(number, plain);
    if (!passed) {
      const unpassed = this.#unpassed.get(workspace);
      if (unpassed === undefined) this.#unpassed.set(workspace, new Map([[number, plain]]));
      else unpassed.set(number, plain);
    }
    this.#counts.addOf(workspace, 1);
  }

  #put(marker: Marker, passed: boolean): void {
    this.#keyed.put(keyOf(marker), Buffer.from(JSON.stringify({ ...marker, passed })));
  }
}

function keyOf({ workspace, number }: Marker): string {
  return `${FROM}${workspace}/${String(number)}`;
}

/**
 * Control calls that wait for the lanes, and lanes' requests that wait for them.
 *
 * A control call (merge, delete, suppress, unsuppress, split) comes straight from ingest and would overtake calls that
 * were acknowledged before it and are still in their lanes. It carries the place behind its marker in each partition of
 * events.collected, and is decided once the watermark of every lane partition has reached its entry. A lane's request
 * from an event at or past that entry came later, and waits behind the control, whomever it names: an identify by email
 * may be about the person whom the control names by id, and the call that ties the two may be one that has yet to come
 * out of its lane. (PUT 42 with a@b.c, DELETE 42, PUT a@b.c: the third must not be decided before the first.) Only when
 * very many wait, because a lane partition stands still, those that share no name with a control pass it.
 *
 * Each workspace has a queue of its own: who holds up their own calls holds up nobody else's.
 *
 * Why this cannot lock. Control X waits for request r (from below X's positions, so X's watermark needs it), r waits
 * behind control Y, Y waits for request s, s waits behind X: with positions taken by two ingest processes at about the
 * same time, neither below the other, nothing would ever move. So a control that arrives while others wait takes over
 * the greatest position of each partition: positions never fall along the queue, and controls are decided in its order.
 * Then X, to be decided, needs requests from below its positions only, and such a request can only wait behind a control
 * whose positions are lower still, which stands before X. Every chain of waiting leads towards the head of the queue,
 * and the head waits for requests that wait behind nothing. Raising positions breaks no order: a request between the
 * two positions was sent before the earlier control's positions were taken, so nobody saw an answer of the later control
 * before sending it. Calls with markers wait for what is their own workspace's and for nothing of another; those of an
 * older gateway, without markers, wait for everybody's, so among them positions never fall over all workspaces.
 *
 * A control that is decided stays at the head of its queue until all that waited behind it is decided, a bounded number a
 * step, so that nothing overtakes. Everything lies in the keyed store too: `h/sequence` is a held request behind the
 * sequence of its control (0: it is a control, -1: one that is decided).
 */
import type { Codec } from '../../../schemas/codec.ts';
import type { IdentityRequest } from '../../../schemas/records.ts';
import { assert } from '../../runtime/errors.ts';
import type { KeyedStore } from '../../runtime/store/ports.ts';
import { namesOfControl } from './names.ts';
import { LaneWatermarks } from './watermarks.ts';

/** Control calls and requests held of a workspace. At the limit its oldest control is decided before its time. */
export const heldRequestsMax = 200_000;
/** While no more are held, requests wait whomever they name. */
export const strictRequestsMax = 100_000;
/**
 * Of one call, that are kept in memory while it waits. One of more (a split, a call about a segment) is as one that names
 * everybody of its workspace: those behind it wait for no good reason, and a thousand names of each of a hundred thousand
 * calls would be more than the process holds.
 */
const namesMax = 20;
const SEQUENCE_DIGITS = 16;
const BEHIND_BYTES = 8;
const SCAN_ROWS = 1_000;

interface HeldControl {
  readonly sequence: number;
  readonly workspace: string;
  /** Of its markers; 0 for none. */
  readonly number: number;
  readonly positions: readonly number[];
  readonly names: readonly string[];
  /** Sequences of the requests behind it, ascending; those before `behindAt` are done. */
  readonly behind: number[];
  behindAt: number;
  isDecided: boolean;
}

/** What is to be decided next of a workspace; hurried: a control before its time, only for want of room. */
export type Step =
  | {
      readonly type: 'control';
      readonly sequence: number;
      readonly request: IdentityRequest;
      readonly hurried: boolean;
    }
  | { readonly type: 'request'; readonly sequence: number; readonly request: IdentityRequest };

const CONTROL = 0;
const DECIDED = -1;

export class HeldRequests {
  readonly #store: KeyedStore;
  readonly #codec: Codec<'IdentityRequest'>;
  readonly #watermarks: LaneWatermarks;
  readonly #controls = new Map<number, HeldControl>();
  /** In order of arrival; positions never fall. */
  readonly #byWorkspace = new Map<string, HeldControl[]>();
  readonly #byName = new Map<string, HeldControl[]>();
  readonly #numbers = new Set<string>();
  readonly #heldOf = new Map<string, number>();
  readonly #strictMax: number;
  /** Greatest positions of all calls without markers that wait. */
  #lastWithout: HeldControl | undefined;
  #nextSequence = 1;
  #held = 0;

  constructor(store: KeyedStore, codec: Codec<'IdentityRequest'>, strictMax = strictRequestsMax) {
    this.#store = store;
    this.#strictMax = strictMax;
    this.#codec = codec;
    this.#watermarks = new LaneWatermarks(store);
    this.#recover();
  }

  /** Control calls and requests that wait. */
  get size(): number {
    return this.#held;
  }
  get controls(): number {
    return this.#controls.size;
  }

  /** Every record of the workspace (empty: of all) in the lane partition below this offset is done with. */
  watermark(workspace: string, partition: number, offset: number): void {
    this.#watermarks.reached(workspace, partition, offset);
  }

  /** Puts a control call at the end of its workspace's queue. */
  addControl(request: IdentityRequest): void {
    const positions = [...request.positions];
    const before = [this.#byWorkspace.get(request.workspace)?.at(-1)];
    if (request.request_number === 0) before.push(this.#lastWithout);
    for (const control of before) {
      control?.positions.forEach((position, partition) => {
        positions[partition] = Math.max(position, positions[partition] ?? 0);
      });
    }
    const raised = { ...request, positions };
    this.#index(this.#write(raised, CONTROL), raised, false);
  }

  /** Is the control call with these markers among those that wait? */
  has(workspace: string, number: number): boolean {
    return this.#numbers.has(`${workspace}/${String(number)}`);
  }

  /**
   * A control call that this request must wait behind, if any: the last whose marker stands before its event. Asked for
   * the names only if they matter.
   */
  controlBefore(request: IdentityRequest, namesOf: () => readonly string[]): number | undefined {
    const { source_partition: partition, source_offset: offset } = request;
    if (partition === null) return undefined;
    const controls = this.#byWorkspace.get(request.workspace);
    if (controls === undefined) return undefined;
    if (this.#count(request.workspace) >= this.#strictMax)
      return this.#controlNamed([...namesOf(), everybodyOf(request.workspace)], partition, offset);
    return controls[countBefore(controls, partition, offset) - 1]?.sequence;
  }

  /** The first with one of these names. */
  #controlNamed(names: readonly string[], partition: number, offset: number): number | undefined {
    let first: number | undefined;
    for (const name of names) {
      const control = this.#byName.get(name)?.[0]; // positions never fall: if not the first, then none
      if (control === undefined || offset < (control.positions[partition] ?? 0)) continue;
      first = Math.min(first ?? control.sequence, control.sequence);
    }
    return first;
  }

  /** It stays for what waits behind it. */
  isDecided(sequence: number): boolean {
    return this.#controls.get(sequence)?.isDecided === true;
  }

  addRequest(request: IdentityRequest, behind: number): void {
    this.#control(behind).behind.push(this.#write(request, behind));
  }

  /** Workspaces of which something may be decided, in the order of their names, those after `last` first. */
  ready(last: string): readonly string[] {
    if (this.#controls.size === 0) return [];
    const found = [...this.#byWorkspace.keys()].filter((workspace) => this.#isReady(workspace)).sort();
    const after = found.findIndex((workspace) => workspace > last);
    return after <= 0 ? found : [...found.slice(after), ...found.slice(0, after)];
  }
  get anyReady(): boolean {
    for (const workspace of this.#byWorkspace.keys()) if (this.#isReady(workspace)) return true;
    return false;
  }

  /** Takes out what is to be decided next of the workspace; undefined when all of it waits. */
  next(workspace: string): Step | undefined {
    const head = this.#byWorkspace.get(workspace)?.[0];
    if (head === undefined) return undefined;
    if (head.isDecided) return this.#nextBehind(head);
    if (!this.#isReady(workspace)) return undefined;
    const { sequence } = head;
    const request = this.read(sequence);
    const hurried = !this.#isDue(head);
    head.isDecided = true;
    this.#put(sequence, request, DECIDED);
    this.#numbers.delete(`${workspace}/${String(head.number)}`);
    for (const name of head.names) shiftFrom(this.#byName, name, head);
    if (head.behind.length === 0) this.#leave(head);
    return { type: 'control', sequence, request, hurried };
  }

  #nextBehind(head: HeldControl): Step | undefined {
    const sequence = head.behind[head.behindAt];
    assert(sequence !== undefined, 'a decided control call is held for what waits behind it');
    head.behindAt += 1;
    const request = this.#remove(sequence);
    if (head.behindAt === head.behind.length) this.#leave(head);
    return { type: 'request', sequence, request };
  }

  /** Nothing waits behind it any more. */
  #leave(head: HeldControl): void {
    this.#controls.delete(head.sequence);
    if (this.#lastWithout === head) this.#lastWithout = undefined;
    shiftFrom(this.#byWorkspace, head.workspace, head);
    this.#remove(head.sequence);
  }

  /** The request with this sequence. */
  read(sequence: number): IdentityRequest {
    const row = this.#store.get(keyOf(sequence));
    assert(row !== undefined, `held request ${String(sequence)} is in the store`);
    return this.#codec.decode(row, BEHIND_BYTES);
  }

  /** It was taken out, and waits behind another control call now, in its old place among those that do. */
  moveBehind(sequence: number, request: IdentityRequest, behind: number): void {
    this.#put(sequence, request, behind);
    this.#counted(request.workspace, 1);
    const others = this.#control(behind).behind;
    let at = others.length;
    while (at > 0 && (others[at - 1] ?? 0) > sequence) at -= 1;
    others.splice(at, 0, sequence);
  }

  #recover(): void {
    const requests: (readonly [sequence: number, behind: number])[] = [];
    for (const [key, value] of this.#scan('h/', 'h0')) {
      const sequence = Number(key.slice(2));
      const behind = value.readDoubleBE(0);
      this.#nextSequence = sequence + 1;
      const request = this.#codec.decode(value, BEHIND_BYTES);
      this.#counted(request.workspace, 1);
      if (behind > CONTROL) requests.push([sequence, behind]);
      else this.#index(sequence, request, behind === DECIDED);
    }
    for (const [sequence, behind] of requests) this.#control(behind).behind.push(sequence);
  }

  *#scan(from: string, to: string): Generator<[key: string, value: Buffer]> {
    for (let start = from; ;) {
      const rows = this.#store.scan(start, to, SCAN_ROWS);
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < SCAN_ROWS) return;
      start = `${last[0]}\u0000`;
    }
  }

  #index(sequence: number, request: IdentityRequest, isDecided: boolean): void {
    const named = isDecided ? [] : [...new Set(namesOfControl(request))];
    const names = named.length > namesMax ? [everybodyOf(request.workspace)] : named;
    const { workspace, positions, request_number: number } = request;
    const control = { sequence, workspace, number, positions, names, behind: [], behindAt: 0, isDecided };
    this.#controls.set(sequence, control);
    if (number === 0) this.#lastWithout = control;
    pushTo(this.#byWorkspace, workspace, control);
    if (!isDecided) this.#numbers.add(`${workspace}/${String(number)}`);
    for (const name of names) pushTo(this.#byName, name, control);
  }

  #write(request: IdentityRequest, behind: number): number {
    const sequence = this.#nextSequence;
    this.#nextSequence += 1;
    this.#counted(request.workspace, 1);
    this.#put(sequence, request, behind);
    return sequence;
  }

  #count(workspace: string): number {
    return this.#heldOf.get(workspace) ?? 0;
  }
  #counted(workspace: string, change: 1 | -1): void {
    const count = this.#count(workspace) + change;
    this.#held += change;
    if (count === 0) this.#heldOf.delete(workspace);
    else this.#heldOf.set(workspace, count);
  }

  #put(sequence: number, request: IdentityRequest, behind: number): void {
    const value = this.#codec.encode(request);
    const row = Buffer.allocUnsafe(BEHIND_BYTES + value.length);
    row.writeDoubleBE(behind, 0);
    value.copy(row, BEHIND_BYTES);
    this.#store.put(keyOf(sequence), row);
  }

  #remove(sequence: number): IdentityRequest {
    const request = this.read(sequence);
    this.#store.delete(keyOf(sequence));
    this.#counted(request.workspace, -1);
    return request;
  }

  #control(sequence: number): HeldControl {
    const control = this.#controls.get(sequence);
    assert(control !== undefined, `control call ${String(sequence)} is held`);
    return control;
  }

  #isReady(workspace: string): boolean {
    const head = this.#byWorkspace.get(workspace)?.[0];
    if (head === undefined) return false;
    return head.isDecided || this.#count(workspace) >= heldRequestsMax || this.#isDue(head);
  }

  #isDue({ workspace, positions }: HeldControl): boolean {
    return this.#watermarks.areAt(workspace, positions);
  }
}

/** No name: those have a kind behind the workspace. */
function everybodyOf(workspace: string): string {
  return `${workspace}/`;
}

/** How many of these come before this place; positions never fall along the queue. */
function countBefore(controls: readonly HeldControl[], partition: number, offset: number): number {
  let [low, high] = [0, controls.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((controls[middle]?.positions[partition] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function pushTo(lists: Map<string, HeldControl[]>, name: string, control: HeldControl): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [control]);
  else list.push(control);
}

function shiftFrom(lists: Map<string, HeldControl[]>, name: string, head: HeldControl): void {
  const list = lists.get(name);
  assert(list?.shift() === head, 'the head of the queue comes first in each of its lists');
  if (list.length === 0) lists.delete(name);
}

function keyOf(sequence: number): string {
  return `h/${String(sequence).padStart(SEQUENCE_DIGITS, '0')}`;
}

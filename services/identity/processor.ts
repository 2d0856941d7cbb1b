/**
 * The single writer of a partition's workspaces. A record of identity.requests is decided at once, unless it is a
 * control call that the lanes have not caught up with, or a lane's request that must wait behind one (held.ts).
 */
import type { Codecs } from '../../schemas/codec.ts';
import { toWorkspace } from '../../schemas/ids.ts';
import type { IdentityRequest } from '../../schemas/records.ts';
import type { TopicId } from '../../schemas/topics.ts';
import type { InputRecord } from '../runtime/log/ports.ts';
import { settingsOf } from '../runtime/workspace-settings.ts';
import { patternStepsAUnit } from '../runtime/pattern.ts';
import type { KeyedStore, PartitionStores } from '../runtime/store/ports.ts';
import {
  attempt,
  type BatchContext,
  type Emitter,
  type Kept,
  type Processor,
} from '../runtime/task/ports.ts';
import { unitsOf } from '../runtime/task/share/share.ts';
import { decideCall, decideControl, type Decision } from './decide/decide.ts';
import { stepsOfNames } from './decide/identifier-patterns.ts';
import { WorkspaceGraph } from './graph/graph.ts';
import { AwaitedControls, type AwaitedControl } from './held/awaited-controls.ts';
import { HeldRequests, heldRequestsMax, type Step } from './held/held.ts';
import { namesOfCall } from './held/names.ts';
import type { Note } from './decide/outcome.ts';
import { controlEnded } from './decide/projections.ts';
import { Recorder } from './recorder.ts';
import { RequestMemory } from './held/request-memory.ts';

/** Held control calls, and requests behind them, decided in one batch; more wait for the next. */
const stepsABatchMax = 1_000;
/** Of one workspace, before the next has its turn. */
const stepsATurnMax = 100;
/** Of share.ts. What is decided counts as one step, and one more for each of these that it takes. */
const unitsAStep = 100;
/** What a usual call writes is in its step; a split of a thousand names writes thousands of records. */
const unitsWrittenAStep = 200;
/** Whose turn was the last. */
const LAST_TURN = 'r/';

export class IdentityProcessor implements Processor {
  readonly #store: KeyedStore;
  readonly #codecs: Codecs;
  readonly #partitions: number;
  readonly #held: HeldRequests;
  readonly #awaited: AwaitedControls;
  readonly #answered = new RequestMemory();
  #sequence = -1;
  #stepsLeft = 0;
  /** Of patterns of workspaces' guards, since they were last asked for. */
  #units = 0;

  constructor(partitions: number, stores: PartitionStores, codecs: Codecs) {
    this.#store = stores.keyed;
    this.#codecs = codecs;
    this.#partitions = partitions;
    this.#held = new HeldRequests(stores.keyed, codecs.IdentityRequest);
    this.#awaited = new AwaitedControls(stores.keyed);
  }

  onRecord(record: InputRecord, batch: BatchContext, out: Emitter): void {
    const request = this.#codecs.IdentityRequest.decode(record.bytes, record.valueStart, record.valueEnd);
    switch (request.kind) {
      case 'watermark':
        if (request.source_partition !== null) {
          this.#held.watermark(request.workspace, request.source_partition, request.source_offset);
        }
        break;
      case 'marker':
        this.#onMarker(request, record.appendedAt);
        break;
      case 'claim':
      case 'resolve':
      case 'barrier':
        this.#onCall(request, batch, out);
        break;
      default:
        this.#awaited.arrived({ workspace: request.workspace, number: request.request_number });
        this.#held.addControl(request);
    }
    this.#abandon(record.appendedAt, out);
    const own = this.takeUnits();
    this.#releaseDue(batch, out);
    this.#units = own; // what was due has its own bound, and may be of another workspace
  }

  /** A lane that asked would wait for ever, and so would lanes that go by the marker of a control call. */
  onPutAside(record: InputRecord, batch: BatchContext, out: Emitter): void {
    const request = this.#codecs.IdentityRequest.decode(record.bytes, record.valueStart, record.valueEnd);
    switch (request.kind) {
      case 'watermark':
      case 'marker':
        return;
      case 'claim':
      case 'resolve':
      case 'barrier':
        this.#refuse(request, batch, out);
        return;
      default:
        this.#awaited.arrived({ workspace: request.workspace, number: request.request_number });
        this.#tellDone(request, out);
    }
  }

  /** Goes on where a record found more control calls due than it may decide. */
  onBatchEnd(batch: BatchContext, out: Emitter): void {
    this.#releaseDue(batch, out);
    this.takeUnits(); // nothing is carried into the next batch, which may begin in another process
  }

  wantsBatch(): boolean {
    return this.#held.anyReady;
  }

  takeUnits(): number {
    const units = this.#units;
    this.#units = 0;
    return units;
  }

  /** Requests are no events: the lanes that asked keep their watermark back until they are answered. */
  pendingSince(): undefined {
    return undefined;
  }

  receivedAt(): undefined {
    return undefined;
  }

  status(): { readonly unsettled: number; readonly heldControls: number } {
    return { unsettled: this.#held.size, heldControls: this.#held.controls };
  }

  #onCall(request: IdentityRequest, batch: BatchContext, out: Emitter): void {
    this.#answered.assertNew(request);
    const behind = this.#controlBefore(request);
    if (behind === undefined) this.#decide(decideCall, request, batch, out);
    else this.#held.addRequest(request, behind);
  }

  /** Its call is never decided before every lane partition has told of its marker, so it is held or yet to come. */
  #onMarker({ workspace, request_number: number }: IdentityRequest, appendedAt: number): void {
    if (!this.#held.has(workspace, number)) this.#awaited.heard({ workspace, number }, appendedAt);
  }

  #abandon(appendedAt: number, out: Emitter): void {
    for (;;) {
      const call = this.#awaited.takeAbandoned(appendedAt);
      if (call === undefined) return;
      this.#tellEnded(call, out);
    }
  }

  /** From now on lanes may go by what they know again. */
  #tellEnded({ workspace, number }: AwaitedControl, out: Emitter): void {
    const value = this.#codecs.IdentityDecision.encode(controlEnded(workspace, number));
    for (let partition = 0; partition < this.#partitions; partition += 1) {
      out.emitTo('identityDecisions', partition, workspace, value);
    }
  }

  /** Decides control calls whose turn has come, each followed by the requests that waited behind it and no other. */
  #releaseDue(batch: BatchContext, out: Emitter): void {
    if (batch.sequence !== this.#sequence) {
      this.#sequence = batch.sequence;
      this.#stepsLeft = stepsABatchMax;
    }
    while (this.#stepsLeft > 0) {
      const workspaces = this.#held.ready(this.#store.get(LAST_TURN)?.toString() ?? '');
      if (workspaces.length === 0) return;
      for (const workspace of workspaces) this.#takeTurn(workspace, batch, out);
    }
  }

  #takeTurn(workspace: string, batch: BatchContext, out: Emitter): void {
    for (let steps = 0; steps < stepsATurnMax && this.#stepsLeft > 0;) {
      const step = this.#held.next(workspace);
      if (step === undefined) return;
      const counted = new CountedEmitter(out);
      if (step.type === 'control') this.#decideHeld(step, batch, counted);
      else this.#decideWaited(step, batch, counted);
      const written = Math.floor(counted.units / unitsWrittenAStep);
      const taken = 1 + written + Math.floor(this.takeUnits() / unitsAStep);
      this.#stepsLeft -= taken;
      steps += taken;
    }
    if (this.#stepsLeft <= 0) this.#store.put(LAST_TURN, Buffer.from(workspace));
  }

  #decideHeld(
    { sequence, request, hurried }: Step & { type: 'control' },
    batch: BatchContext,
    out: Emitter,
  ): void {
    const decide = (control: IdentityRequest, decision: Decision): void => {
      if (hurried) decision.recorder.notes([hurriedNote(control)]);
      decideControl(control, decision);
    };
    attempt(batch, this.#kept(sequence, request), () => {
      this.#decide(decide, request, batch, out);
    });
    this.#tellDone(request, out);
  }

  #decideWaited({ sequence, request }: Step & { type: 'request' }, batch: BatchContext, out: Emitter): void {
    const next = this.#controlBefore(request);
    if (next !== undefined && !this.#held.isDecided(next)) {
      this.#held.moveBehind(sequence, request, next);
      return;
    }
    const decided = attempt(batch, this.#kept(sequence, request), () => {
      this.#decide(decideCall, request, batch, out);
    });
    if (!decided) this.#refuse(request, batch, out);
  }

  #kept(sequence: number, request: IdentityRequest): Kept {
    return {
      name: `held ${String(sequence)}`,
      topic: 'identityRequests',
      key: request.workspace,
      value: () => this.#codecs.IdentityRequest.encode(request),
    };
  }

  /** Its event is dropped, with the reason; what queues behind it goes on. */
  #refuse(request: IdentityRequest, batch: BatchContext, out: Emitter): void {
    const refuse = (_: IdentityRequest, { recorder }: Decision): void => {
      if (request.kind === 'barrier') recorder.reply({ kind: 'passed' });
      else recorder.reply({ kind: 'refused', reason: 'not_handled' });
    };
    this.#decide(refuse, request, batch, out);
  }

  #tellDone({ workspace, request_number: number }: IdentityRequest, out: Emitter): void {
    if (number !== 0) this.#tellEnded({ workspace, number }, out);
  }

  #controlBefore(request: IdentityRequest): number | undefined {
    if (this.#held.controls === 0) return undefined;
    return this.#held.controlBefore(request, () => namesOfCall(this.#graph(request), request));
  }

  #decide(
    decide: (request: IdentityRequest, decision: Decision) => void,
    request: IdentityRequest,
    batch: BatchContext,
    out: Emitter,
  ): void {
    const graph = this.#graph(request);
    const ports = { codecs: this.#codecs, partitions: this.#partitions, out };
    const recorder = new Recorder(graph, request, ports);
    const settings = settingsOf(batch.definitions, request.workspace);
    const { identifier, id, email, other } = request;
    const steps = stepsOfNames(settings.guards.illegal_patterns, [identifier, id, email, other]);
    this.#units += Math.ceil(steps / patternStepsAUnit);
    decide(request, { graph, settings, recorder });
    recorder.finish();
  }

  #graph(request: IdentityRequest): WorkspaceGraph {
    return new WorkspaceGraph(this.#store, toWorkspace(request.workspace), request);
  }
}

class CountedEmitter implements Emitter {
  readonly #out: Emitter;
  #recordsWritten = 0;
  #bytesWritten = 0;

  constructor(out: Emitter) {
    this.#out = out;
  }

  get units(): number {
    const written = { recordsWritten: this.#recordsWritten, bytesWritten: this.#bytesWritten };
    return unitsOf({ recordsRead: 0, own: 0, ...written });
  }

  emit(topic: TopicId, key: Uint8Array | string, value: Uint8Array): void {
    this.#count(value);
    this.#out.emit(topic, key, value);
  }

  emitTo(topic: TopicId, partition: number, key: Uint8Array | string, value: Uint8Array): void {
    this.#count(value);
    this.#out.emitTo(topic, partition, key, value);
  }

  #count(value: Uint8Array): void {
    this.#recordsWritten += 1;
    this.#bytesWritten += value.length;
  }
}

function hurriedNote({ kind, identifier_kind, identifier }: IdentityRequest): Note {
  const detail = { call: kind, identifier_kind, identifier, held_max: heldRequestsMax };
  return { kind: 'Control Call Hurried', personId: null, detail };
}

/** What may still go out in a batch, and in the turn of one of its lanes. An event is smaller than what long lanes have apart. */
import {
  longReadEventsMin,
  longReleaseBytesMin,
  longReleaseEventsMin,
  readEventsMax,
  releaseBytesMax,
  releaseEventsMax,
  shortReleaseEventsMax,
} from './decide/limits.ts';
import type { ReleasePace } from './memory/release-pace.ts';

interface Share {
  readonly events: number;
  readonly bytes: number;
  readonly reads: number;
}
const nothing: Share = { events: 0, bytes: 0, reads: 0 };
const longShare: Share = {
  events: longReleaseEventsMin,
  bytes: longReleaseBytesMin,
  reads: longReadEventsMin,
};

/** Why a turn ended before the lane was done; `paused`: its workspace has had what it may have in this batch. */
export type CutShort = 'turn_over' | 'paused' | 'batch_full';

export class ReleaseBudget {
  readonly #pace: ReleasePace;
  #events = releaseEventsMax;
  #bytes = releaseBytesMax;
  #reads = readEventsMax;
  #turn = 0;
  #workspace = '';
  #kept = nothing;
  /** Of the workspace's pace, for its short lanes. */
  #paceKept = 0;
  /** Events that went out at once with the answer, by workspace. */
  readonly #atOnce = new Map<string, number>();

  constructor(pace: ReleasePace) {
    this.#pace = pace;
  }

  /** Half of a batch may go out as answers come; the rest is for those that await their turn. */
  mayTakeAtOnce(workspace: string): boolean {
    return (this.#atOnce.get(workspace) ?? 0) < releaseEventsMax / 2;
  }
  /** What `work` takes is of this workspace, at once. */
  atOnce<Result>(workspace: string, work: () => Result): Result {
    const before = this.#events;
    const result = work();
    this.#atOnce.set(workspace, (this.#atOnce.get(workspace) ?? 0) + before - this.#events);
    return result;
  }

  /** The turn of a short lane begins. */
  beginShort(workspace: string, anyLong: boolean): void {
    this.#workspace = workspace;
    this.#turn = shortReleaseEventsMax;
    this.#kept = anyLong ? longShare : nothing;
    this.#paceKept = 0;
  }
  /** The turn of a long lane begins. */
  beginLong(workspace: string, isAlone: boolean): void {
    this.#workspace = workspace;
    this.#turn = isAlone ? Infinity : longReleaseEventsMin;
    this.#kept = nothing;
    this.#paceKept = this.#pace.bounds.shortEventsABatchMin;
  }

  /** How many events may still be read. */
  get reads(): number {
    return this.#reads - this.#kept.reads;
  }
  read(events: number): void {
    this.#reads -= events;
  }
  take(bytes: number): 'taken' | CutShort {
    if (this.#events <= this.#kept.events || this.#bytes - bytes < this.#kept.bytes) return 'batch_full';
    if (this.#pace.left(this.#workspace) <= this.#paceKept) return 'paused';
    if (this.#turn === 0) return 'turn_over';
    this.#turn -= 1;
    this.#events -= 1;
    this.#bytes -= bytes;
    this.#pace.took(this.#workspace);
    return 'taken';
  }
}

/**
 * What each workspace may take of something that answers few questions at once, such as ClickHouse: so many of its questions
 * run, so many more wait, for a bounded time. Places that come free go round the workspaces that wait, so that one that asks
 * very much holds up itself.
 */
import type { Workspace } from '../../../schemas/ids.ts';
import { CodedError } from '../../runtime/errors.ts';

export interface QueueLimits {
  readonly runningMax: number;
  readonly workspaceRunningMax: number;
  readonly waitingMax: number;
  readonly workspaceWaitingMax: number;
  readonly waitMsMax: number;
}

/** Of errors: who is asked. */
type Asked = 'ClickHouse' | 'the trigger' | 'in-app';

/** Of one workspace, or of all; refused: since the start. */
export interface QueueCounts {
  readonly running: number;
  readonly waiting: number;
  readonly refused: number;
}

interface Share {
  running: number;
  refused: number;
  /** Oldest first. */
  readonly waiting: Set<() => void>;
}

/** Of workspaces that ask nothing now, only the counts of refusals are kept, of so many. */
const refusedSharesMax = 1_000;

export class FairQueue {
  readonly #limits: QueueLimits;
  readonly #asked: Asked;
  /** Those that run, wait or were refused; whose turn it is next comes first. */
  readonly #shares = new Map<Workspace, Share>();
  #running = 0;
  #waiting = 0;
  #refused = 0;

  constructor(limits: QueueLimits, asked: Asked = 'ClickHouse') {
    this.#limits = limits;
    this.#asked = asked;
  }

  get counts(): QueueCounts {
    return { running: this.#running, waiting: this.#waiting, refused: this.#refused };
  }
  countsOf(workspace: Workspace): QueueCounts {
    const share = this.#shares.get(workspace);
    return {
      running: share?.running ?? 0,
      waiting: share?.waiting.size ?? 0,
      refused: share?.refused ?? 0,
    };
  }

  /** @throws CodedError `questions_share_full`, `questions_overloaded`. */
  async run<T>(workspace: Workspace, ask: () => Promise<T>): Promise<T> {
    const share = this.#shareOf(workspace);
    await this.#turn(workspace, share);
    try {
      return await ask();
    } finally {
      share.running -= 1;
      this.#running -= 1;
      this.#next();
      this.#forget(workspace, share);
    }
  }

  async #turn(workspace: Workspace, share: Share): Promise<void> {
    const { runningMax, workspaceRunningMax, waitingMax, workspaceWaitingMax, waitMsMax } = this.#limits;
    if (this.#running < runningMax && share.running < workspaceRunningMax) {
      this.#start(workspace, share);
      return;
    }
    if (share.waiting.size >= workspaceWaitingMax) {
      throw this.#refuse(share, 'questions_share_full', `${String(workspaceWaitingMax)} of it wait already`);
    }
    if (this.#waiting >= waitingMax) {
      throw this.#refuse(share, 'questions_overloaded', `${String(waitingMax)} wait already`);
    }
    await new Promise<void>((resolve, reject) => {
      const start = (): void => {
        clearTimeout(timer);
        this.#leave(share, start);
        this.#start(workspace, share);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#leave(share, start);
        const own = share.running >= workspaceRunningMax;
        const why = `none came free in ${String(waitMsMax / 1_000)} s`;
        reject(this.#refuse(share, own ? 'questions_share_full' : 'questions_overloaded', why));
        this.#forget(workspace, share);
      }, waitMsMax);
      share.waiting.add(start);
      this.#waiting += 1;
    });
  }

  #start(workspace: Workspace, share: Share): void {
    share.running += 1;
    this.#running += 1;
    // Behind the others: it has had its turn.
    this.#shares.delete(workspace);
    this.#shares.set(workspace, share);
  }

  #leave(share: Share, start: () => void): void {
    if (share.waiting.delete(start)) this.#waiting -= 1;
  }

  /** Gives what is free to those whose turn it is. */
  #next(): void {
    if (this.#running >= this.#limits.runningMax) return;
    for (const share of this.#shares.values()) {
      const [start] = share.waiting;
      if (start === undefined || share.running >= this.#limits.workspaceRunningMax) continue;
      start();
      return;
    }
  }

  #refuse(share: Share, code: 'questions_share_full' | 'questions_overloaded', why: string): CodedError {
    share.refused += 1;
    this.#refused += 1;
    const whose = code === 'questions_share_full' ? 'of this workspace' : 'of all workspaces';
    return new CodedError(code, `could not ask ${this.#asked}: too many questions ${whose} at once, ${why}`);
  }

  #shareOf(workspace: Workspace): Share {
    const found = this.#shares.get(workspace);
    if (found !== undefined) return found;
    const share: Share = { running: 0, refused: 0, waiting: new Set() };
    this.#shares.set(workspace, share);
    return share;
  }

  #forget(workspace: Workspace, share: Share): void {
    if (share.running > 0 || share.waiting.size > 0) return;
    if (share.refused === 0 || this.#shares.size > refusedSharesMax) this.#shares.delete(workspace);
  }
}

/**
 * Threads in which streamed queries of read-only accounts run. A stream of the engine begins in the thread that asks for
 * it, and a statement can take long there before its first row; in the thread of the HTTP server nobody else would be
 * answered meanwhile. A query that is asked whole (queryAsync) is off that thread already.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { EngineException } from './exception.ts';
import type { FromThread, ReaderQuery, ThreadSetting, ToThread } from './reader-thread.ts';

const FILE = new URL('./reader-thread.ts', import.meta.url);

export class ReaderThreads {
  readonly #setting: ThreadSetting;
  /** Kept for the next query. As many are started as readers run at once (ReaderQueue), and none before the first. */
  readonly #idle = new Set<Worker>();

  constructor(setting: ThreadSetting) {
    this.#setting = setting;
  }

  /**
   * The answer's bytes as they come; no more than one chunk waits for its taker. Whoever stops early returns when the
   * engine has let go of the query.
   * @throws Error in the engine's words.
   */
  async *run(query: ReaderQuery): AsyncGenerator<Uint8Array> {
    const thread = this.#take();
    let said: FromThread | undefined;
    const ask = async (message: ToThread): Promise<FromThread> => {
      said = undefined; // stays so when the thread has ended
      return (said = await tell(thread, message));
    };
    try {
      let next = await ask(query);
      for (; 'chunk' in next; next = await ask('more')) yield next.chunk;
      if (next.error !== undefined) throw new Error(next.error);
    } finally {
      if (said !== undefined && 'chunk' in said) await ask('enough');
      if (said !== undefined) this.#idle.add(thread);
    }
  }

  /** Ends the threads that run nothing. */
  async close(): Promise<void> {
    await Promise.all([...this.#idle].map((thread) => thread.terminate()));
  }

  #take(): Worker {
    for (const thread of this.#idle) {
      this.#idle.delete(thread);
      return thread;
    }
    const thread = new Worker(FILE, { workerData: this.#setting });
    thread.on('error', () => undefined); // tell() throws it; an idle one is gone with its exit
    thread.on('exit', () => this.#idle.delete(thread));
    return thread;
  }
}

/** Says something to the thread and waits for what it answers. */
async function tell(thread: Worker, message: ToThread): Promise<FromThread> {
  const answered = new AbortController();
  const { signal } = answered;
  const answer = once(thread, 'message', { signal }).then(([said]) => said as FromThread); // reader-thread.ts sends it
  const gone = once(thread, 'exit', { signal }).then((): never => {
    throw new EngineException(1002, 'UNKNOWN_EXCEPTION', 'the thread of the query ended');
  });
  thread.postMessage(message);
  try {
    return await Promise.race([answer, gone]);
  } finally {
    answered.abort();
  }
}

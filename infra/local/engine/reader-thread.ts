/**
 * One thread of reader-threads.ts: runs streamed queries, one after the other, each on a connection of its own. What
 * blocks here blocks nobody else: the engine folds constants and runs scalar subqueries while a stream begins, and
 * waits for its own threads when one is given up, both in the thread that asks.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Session, type SessionOptions } from 'chdb';

/** Given to the thread when it starts. */
export interface ThreadSetting {
  readonly folder: string;
  readonly options: SessionOptions;
}

export interface ReaderQuery {
  /** Run first, on the same connection: role, database, settings. */
  readonly before: readonly string[];
  readonly sql: string;
  readonly format: string;
}

/** What the thread is told: a query; after each chunk whether another is wanted. */
export type ToThread = ReaderQuery | 'more' | 'enough';
/** What it says: bytes of the answer, and at the end why it ended. */
export type FromThread =
  { readonly chunk: Uint8Array<ArrayBuffer> } | { readonly ended: true; readonly error?: string };

const port = parentPort;
if (port === null) throw new Error('could not start: reader-thread.ts is run by reader-threads.ts');
const { folder, options } = workerData as ThreadSetting; // reader-threads.ts gives it
let wanted: (more: boolean) => void = () => undefined;

const say = (message: FromThread, transfer: ArrayBuffer[] = []): void => {
  port.postMessage(message, transfer);
};

async function run({ before, sql, format }: ReaderQuery): Promise<void> {
  const connection = new Session(folder, options);
  try {
    for (const statement of before) connection.query(statement);
    for await (const chunk of connection.queryStream(sql, { format })) {
      const bytes = new Uint8Array(chunk.raw()); // a copy: what is sent leaves this thread
      const answer = new Promise<boolean>((resolve) => (wanted = resolve));
      say({ chunk: bytes }, [bytes.buffer]);
      if (!(await answer)) break;
    }
  } finally {
    connection.close();
  }
}

port.on('message', (message: ToThread) => {
  if (typeof message === 'string') {
    wanted(message === 'more');
    return;
  }
  run(message).then(
    () => {
      say({ ended: true });
    },
    (error: unknown) => {
      say({ ended: true, error: error instanceof Error ? error.message : String(error) });
    },
  );
});

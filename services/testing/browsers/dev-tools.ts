/** The DevTools protocol over its socket: calls with their answers, and events of a session. */
const answerMsMax = 60_000;

export type Members = Readonly<Record<string, unknown>>;

interface Waiting {
  readonly done: (result: Members) => void;
  readonly fail: (error: Error) => void;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly result?: Members;
  readonly error?: unknown;
}

export class DevTools {
  readonly #socket: WebSocket;
  readonly #calls = new Map<number, Waiting>();
  readonly #events = new Map<string, () => void>();
  #last = 0;

  static async connect(url: string): Promise<DevTools> {
    const socket = new WebSocket(url);
    await new Promise((done, fail) => {
      socket.addEventListener('open', done, { once: true });
      socket.addEventListener('error', fail, { once: true });
    });
    return new DevTools(socket);
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      this.#take(JSON.parse(String(data)) as Message); // of the protocol
    });
  }

  call(method: string, params: Members = {}, sessionId?: string): Promise<Members> {
    const id = ++this.#last;
    return new Promise((done, fail) => {
      const late = setTimeout(() => {
        this.#calls.delete(id);
        fail(new Error(`no answer to ${method}`));
      }, answerMsMax);
      this.#calls.set(id, {
        done: (result) => {
          clearTimeout(late);
          done(result);
        },
        fail: (error) => {
          clearTimeout(late);
          fail(error);
        },
      });
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }

  /** The next one. */
  event(method: string, sessionId: string): Promise<void> {
    return new Promise((done, fail) => {
      const late = setTimeout(() => {
        fail(new Error(`no ${method}`));
      }, answerMsMax);
      this.#events.set(`${sessionId} ${method}`, () => {
        clearTimeout(late);
        done();
      });
    });
  }

  close(): void {
    this.#socket.close();
  }

  #take({ id, method, sessionId, result = {}, error }: Message): void {
    if (id === undefined) {
      this.#events.get(`${sessionId ?? ''} ${method ?? ''}`)?.();
      return;
    }
    const waiting = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === undefined) waiting?.done(result);
    else waiting?.fail(new Error(JSON.stringify(error)));
  }
}

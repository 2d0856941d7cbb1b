/**
 * Connections of the engine. Settings, parameters, USE and temporary tables stay with a connection, and after a failed
 * query its next result starts with that query's rows; so each request has a connection of its own (0.12 ms), and a
 * named session runs one query after the other and is drained when one of them fails.
 */
import { Session, type SessionOptions } from 'chdb';
import { EngineException } from './exception.ts';
import { limits } from './limits.ts';

interface NamedSession {
  readonly connection: Session;
  tail: Promise<unknown>;
  users: number;
  timer: NodeJS.Timeout | undefined;
}

export interface SessionName {
  readonly account: string;
  readonly id: string;
  readonly idleSeconds: number;
  readonly mustExist: boolean;
}

export class Connections {
  readonly #folder: string;
  readonly #options: SessionOptions;
  readonly #named = new Map<string, NamedSession>();
  /** Keeps the engine up between requests. */
  readonly #keeper: Session;
  #running = 0;

  /**
   * Throws when another process has the folder open.
   * @param connectionArgs as the engine's command line has them (access.ts).
   */
  constructor(folder: string, connectionArgs: readonly string[]) {
    this.#folder = folder;
    this.#options = { connectionArgs };
    this.#keeper = new Session(folder, this.#options);
    this.#keeper.query('SELECT 1');
  }

  get running(): number {
    return this.#running;
  }

  async run<T>(session: SessionName | undefined, use: (connection: Session) => Promise<T>): Promise<T> {
    if (this.#running >= limits.queriesMax) {
      const text = `Too many simultaneous queries. Maximum: ${String(limits.queriesMax)}`;
      throw new EngineException(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', text);
    }
    this.#running += 1;
    try {
      return session === undefined ? await this.#runOnce(use) : await this.#runNamed(session, use);
    } finally {
      this.#running -= 1;
    }
  }

  /** The text of a small answer, as TSV. For the facade's own questions. */
  ask(sql: string): string {
    return this.#keeper.query(sql, 'TSV').trim();
  }

  /** Stops the query that carries this log_comment. ASYNC, since SYNC never returns in this engine. */
  kill(quotedComment: string): void {
    const sql = `KILL QUERY WHERE Settings['log_comment'] = ${quotedComment} ASYNC`;
    this.#keeper.queryAsync(sql).catch(() => undefined); // it may be over already
  }

  close(): void {
    for (const { connection, timer } of this.#named.values()) {
      clearTimeout(timer);
      connection.close();
    }
    this.#named.clear();
    this.#keeper.close();
  }

  async #runOnce<T>(use: (connection: Session) => Promise<T>): Promise<T> {
    const connection = new Session(this.#folder, this.#options);
    try {
      return await use(connection);
    } finally {
      connection.close();
    }
  }

  async #runNamed<T>(name: SessionName, use: (connection: Session) => Promise<T>): Promise<T> {
    // Two accounts may use one name: each has a session of its own.
    const key = `${name.account}\0${name.id}`;
    const entry = this.#named.get(key) ?? this.#open(key, name);
    clearTimeout(entry.timer);
    entry.users += 1;
    const mine = entry.tail.then(() => use(entry.connection));
    entry.tail = mine.catch(async () => {
      // Drains the rows that the failed query left.
      await entry.connection.queryAsync('SELECT 1').catch(() => undefined);
    });
    try {
      return await mine;
    } finally {
      entry.users -= 1;
      if (entry.users === 0) this.#closeWhenIdle(key, entry, name.idleSeconds);
    }
  }

  #open(key: string, name: SessionName): NamedSession {
    if (name.mustExist) throw new EngineException(372, 'SESSION_NOT_FOUND', `Session ${name.id} not found`);
    if (this.#named.size >= limits.sessionsMax) {
      const text = `more than ${String(limits.sessionsMax)} named sessions`;
      throw new EngineException(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', text);
    }
    const entry = {
      connection: new Session(this.#folder, this.#options),
      tail: Promise.resolve(),
      users: 0,
      timer: undefined,
    };
    this.#named.set(key, entry);
    return entry;
  }

  #closeWhenIdle(key: string, entry: NamedSession, seconds: number): void {
    entry.timer = setTimeout(() => {
      this.#named.delete(key);
      entry.connection.close();
    }, seconds * 1000);
    entry.timer.unref();
  }
}

/**
 * Requests whose answers have not ended, because we are not done or because their client does not read: how many one
 * connection may have, and how many all connections of an address, and all there are, may have together. Each costs some
 * kilobytes. A connection with a single one is never too many: there is a bound on connections already.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { siteOfSocket } from './client-address.ts';

/** Of one connection; who sends more without reading an answer is no client. */
export const unansweredMax = 64;
/** Of an address, and of all, for each connection that may be open. Nobody comes to two but by piling up. */
const perConnection = 2;

interface OfConnection {
  readonly site: string;
  last: ServerResponse;
  open: number;
  /** It had too many: what came with them is not answered. */
  isEnded: boolean;
}

const connections = new WeakMap<object, OfConnection>();

/** The last request of the connection that was noted, whichever door it came by. */
export function lastAnswerOf(socket: Socket): ServerResponse | undefined {
  return connections.get(socket)?.last;
}

interface ConnectionCounts {
  readonly perAddressMax: number;
  readonly openMax: number;
}

export class Unanswered {
  readonly #ofAddressMax: number;
  readonly #ofAllMax: number;
  /** None has 0. */
  readonly #ofAddresses = new Map<string, number>();
  #ofAll = 0;
  /** Of answers that ended in this turn. */
  #ended: OfConnection[] = [];
  readonly #countEnded = (): void => {
    const ended = this.#ended;
    this.#ended = [];
    for (const connection of ended) {
      if (connection.open === 0) continue; // its connection has closed before
      connection.open -= 1;
      this.#add(connection.site, -1);
    }
  };

  constructor({ perAddressMax, openMax }: ConnectionCounts) {
    this.#ofAddressMax = perConnection * perAddressMax + unansweredMax;
    this.#ofAllMax = perConnection * openMax + unansweredMax;
  }

  get count(): number {
    return this.#ofAll;
  }
  get addresses(): number {
    return this.#ofAddresses.size;
  }

  /** Whether it had too many: what else was read of it is for nobody. */
  hasEnded(socket: Socket): boolean {
    return connections.get(socket)?.isEnded === true;
  }

  /** @returns false: there are too many, and the connection is to be ended. */
  note(socket: Socket, answer: ServerResponse): boolean {
    const connection = connections.get(socket) ?? this.#opened(socket, answer);
    // What was read of it before it closed is handled as ever.
    if (socket.destroyed) return !connection.isEnded;
    const ofAddress = this.#add(connection.site, 1);
    connection.open += 1;
    connection.last = answer;
    answer.once('close', () => {
      // Not before the next turn: what is refused at once is answered within the read in which thousands of them come.
      if (this.#ended.push(connection) === 1) setImmediate(this.#countEnded);
    });
    const isRoom = ofAddress <= this.#ofAddressMax && this.#ofAll <= this.#ofAllMax;
    connection.isEnded = connection.open > (isRoom ? unansweredMax : 1);
    return !connection.isEnded;
  }

  #opened(socket: Socket, answer: ServerResponse): OfConnection {
    const made = { site: siteOfSocket(socket), last: answer, open: 0, isEnded: false };
    connections.set(socket, made);
    // Answers that stand behind another never close by themselves when their connection does.
    socket.once('close', () => {
      this.#add(made.site, -made.open);
      made.open = 0;
    });
    return made;
  }

  #add(site: string, more: number): number {
    this.#ofAll += more;
    const now = (this.#ofAddresses.get(site) ?? 0) + more;
    if (now === 0) this.#ofAddresses.delete(site);
    else this.#ofAddresses.set(site, now);
    return now;
  }
}

/** What holds for each socket that we listen on, of http as of https. */
import type { FastifyInstance } from 'fastify';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { siteOf } from './address.ts';
import { bodyMsMax } from './body.ts';
import { Connections } from './connections.ts';
import type { QuietLog } from './quiet-log.ts';
import { answerExpectation, answerParserFault } from './refusals.ts';
import { lastAnswerOf, Unanswered } from './unanswered.ts';

/** Of a whole request. Its body has a bound of its own, which answers first. */
export const requestMsMax = bodyMsMax + 5_000;
const headersMsMax = 30_000;
const checkPauseMs = 5_000;
/** Of all doors together. */
const connectionsMax = 10_000;
/** Node turns newcomers away by itself from here on, when those that were ended are not gone yet. */
const connectionsOfNodeMax = 2 * connectionsMax;

export const doorOptions = {
  headersTimeout: headersMsMax,
  connectionsCheckingInterval: checkPauseMs,
  // A missing host is refused by a hook, in our envelope and not in Node's.
  requireHostHeader: false,
} as const;

/** A listener of `clientError`. */
export function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  const last = lastAnswerOf(socket);
  answerParserFault(error, socket, last?.headersSent === true && !last.writableFinished);
}

export interface DoorLimits {
  readonly perAddressMax: number;
  /** 10,000 unless a test says otherwise. */
  readonly openMax?: number;
}

/** The doors of one gateway, which have their connections in common. */
export class Doors {
  readonly #connections: Connections;
  readonly #openMax: number;
  readonly #log: QuietLog;
  /** By peer, since a request of https comes on another socket than the one that was accepted. */
  readonly #sockets = new Map<string, Socket>();
  /** The accepted socket, by that of its requests. */
  readonly #accepted = new WeakMap<Socket, Socket>();
  readonly #unanswered: Unanswered;

  constructor({ perAddressMax, openMax = connectionsMax }: DoorLimits, log: QuietLog) {
    this.#connections = new Connections({ openMax, perAddressMax });
    this.#openMax = openMax;
    this.#unanswered = new Unanswered({ perAddressMax, openMax });
    this.#log = log;
  }

  get state() {
    return { ...this.#connections.state, open_max: this.#openMax, unanswered: this.#unanswered.count };
  }

  guard(server: Server): void {
    server.maxConnections = connectionsOfNodeMax;
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      if (this.noteAnswer(request.socket, response)) answerExpectation(request, response);
    });
    server.on('connection', (socket: Socket) => {
      this.#letIn(socket);
    });
  }

  /**
   * A request whose body is whole waits for us, until its answer is known: from then on we wait for its client to take it,
   * as before for the rest of the request. Whoever asks for something and reads nothing makes room for others.
   */
  follow(app: FastifyInstance): void {
    app.addHook('preHandler', (request, _reply, done) => {
      this.busy(request.raw.socket);
      done();
    });
    app.addHook('onSend', (request, _reply, payload, done) => {
      this.waiting(request.raw.socket);
      done(null, payload);
    });
    app.addHook('onResponse', (request, _reply, done) => {
      this.waiting(request.raw.socket);
      done();
    });
  }

  /** It was ended with requests that had been read already. */
  hasEnded(socket: Socket): boolean {
    return this.#unanswered.hasEnded(socket);
  }

  /** Of every request, whichever way it goes. @returns false: its connection had too many, and was ended. */
  noteAnswer(socket: Socket, answer: ServerResponse): boolean {
    if (this.#unanswered.note(socket, answer)) return true;
    const message = 'connections were ended that asked on without reading an answer';
    this.#log.say('warn', 'connection_piles_up', message);
    socket.destroy();
    return false;
  }

  /** @param ofRequest the socket of the request, whose client waits for us from now on. */
  busy(ofRequest: Socket): void {
    const socket = this.#acceptedFor(ofRequest);
    if (socket !== undefined) this.#connections.busy(socket);
  }
  waiting(ofRequest: Socket): void {
    const socket = this.#acceptedFor(ofRequest);
    if (socket !== undefined) this.#connections.waiting(socket);
  }

  #acceptedFor(ofRequest: Socket): Socket | undefined {
    const known = this.#accepted.get(ofRequest);
    if (known !== undefined) return known;
    const found = this.#sockets.get(peerOf(ofRequest));
    if (found !== undefined) this.#accepted.set(ofRequest, found);
    return found;
  }

  #letIn(socket: Socket): void {
    const { remoteAddress: address } = socket;
    const end = (): void => {
      this.#log.say('info', 'connection_ended', 'connections that said nothing made room for others');
      socket.destroy();
    };
    if (address === undefined || !this.#connections.opened(socket, siteOf(address), end)) {
      this.#log.say('warn', 'connection_refused', 'connections were refused: too many are open');
      socket.destroy();
      return;
    }
    const peer = peerOf(socket);
    this.#sockets.set(peer, socket);
    socket.once('close', () => {
      this.#connections.closed(socket);
      if (this.#sockets.get(peer) === socket) this.#sockets.delete(peer);
    });
  }
}

function peerOf({ localPort, remoteAddress, remotePort }: Socket): string {
  return `${String(localPort)} ${String(remoteAddress)} ${String(remotePort)}`;
}

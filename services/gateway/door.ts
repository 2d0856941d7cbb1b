/** What holds for each socket that we listen on, of http as of https. */
import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { bodyMsMax } from './body.ts';
import { answerExpectation, answerParserFault } from './refusals.ts';

/** Of a whole request. Its body has a bound of its own, which answers first. */
export const requestMsMax = bodyMsMax + 5_000;
const headersMsMax = 30_000;
const checkPauseMs = 5_000;
const connectionsMax = 10_000;

export const doorOptions = {
  headersTimeout: headersMsMax,
  connectionsCheckingInterval: checkPauseMs,
  // A missing host is refused by a hook, in our envelope and not in Node's.
  requireHostHeader: false,
} as const;

/** The last answer of each connection. */
const answers = new WeakMap<object, ServerResponse>();

export function noteAnswer(socket: Socket, answer: ServerResponse): void {
  answers.set(socket, answer);
}

/** A listener of `clientError`. */
export function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  const last = answers.get(socket);
  answerParserFault(error, socket, last?.headersSent === true && !last.writableFinished);
}

export function guardDoor(server: Server): void {
  server.maxConnections = connectionsMax;
  server.on('checkExpectation', answerExpectation);
}

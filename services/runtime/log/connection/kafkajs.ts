/**
 * The only file that loads kafkajs. The log port uses its connections (sockets, SASL, API versions, time limits of
 * requests) and nothing above them: its consumer leaks aborted records and spins on emptied batches, its producer
 * spends 30 CPU seconds on a million events. What we use is not its public surface, so the version is asserted.
 */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';
import { assert } from '../../errors.ts';

const KAFKAJS_VERSION = '2.2.4';

/** An answer's body, without correlation id; pooled memory when it is large. */
export interface Response {
  readonly payload: Buffer;
}

export interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly inflight: ReadonlyMap<
    number,
    { readonly sentAt: number; readonly requestTimeout: number; timeoutRequest(): void }
  >;
  requestTimeoutIntervalId: NodeJS.Timeout | undefined;
  isConnected(): boolean;
  scheduleRequestTimeoutCheck(): void;
  push(request: {
    readonly entry: {
      readonly apiKey: number;
      readonly apiName: string;
      readonly apiVersion: number;
      readonly correlationId: number;
      readonly resolve: (response: Response) => void;
      readonly reject: (error: Error) => void;
    };
    readonly expectResponse: boolean;
    readonly requestTimeout: number | null;
    readonly sendRequest: () => void;
  }): void;
  fulfillRequest(answer: { correlationId: number; payload: Buffer; size: number }): void;
  rejectAll(error: Error): void;
  scheduleCheckPendingRequests(): void;
  destroy(): void;
}

export interface Connection {
  readonly requestQueue: RequestQueue;
  readonly clientId: string;
  readonly sasl: unknown;
  socket: Socket | undefined;
  socketFactory: ISocketFactory;
  /** Not null while SASL runs: then answers are not framed as requests are. */
  readonly authHandlers: unknown;
  isConnected(): boolean;
  isAuthenticated(): boolean;
  connect(): Promise<unknown>;
  authenticate(): Promise<void>;
  disconnect(): Promise<unknown>;
  nextCorrelationId(): number;
}

export interface ConnectionPool {
  readonly host: string;
  readonly port: number;
  /** Two: [1] is for Fetch, whose long polls would hold up everything else. */
  readonly pool: readonly [Connection, Connection];
}

export interface Broker {
  readonly connectionPool: ConnectionPool;
  isConnected(): boolean;
  connect(): Promise<void>;
  createTopics(request: {
    readonly timeout: number;
    readonly topics: readonly {
      readonly topic: string;
      readonly numPartitions: number;
      readonly replicationFactor: number;
      readonly configEntries: readonly { readonly name: string; readonly value: string }[];
    }[];
  }): Promise<unknown>;
}

/** What kafkajs's errors carry: `type` and `code` when the broker said it, `retriable`. */
export interface KafkajsError extends Error {
  readonly type?: string;
  readonly code?: number | string;
  readonly retriable?: boolean;
}

interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly socketFactory: ISocketFactory;
  readonly logger: unknown;
}
interface BrokerOptions {
  readonly connectionPool: ConnectionPool;
  readonly logger: unknown;
  readonly allowAutoTopicCreation: boolean;
}

const load = createRequire(import.meta.url);
// These modules have no types of their own; the shapes are those of the asserted version.
const { version } = load('kafkajs/package.json') as { version: string };
assert(version === KAFKAJS_VERSION, `kafkajs is ${version}; its internals are known for ${KAFKAJS_VERSION}`);
const BrokerClass = load('kafkajs/src/broker') as new (options: BrokerOptions) => Broker;
const ConnectionPoolClass = load('kafkajs/src/network/connectionPool') as new (
  options: ConnectionOptions,
) => ConnectionPool;
const { createLogger } = load('kafkajs/src/loggers') as {
  createLogger: (options: { level: number; logCreator: () => () => void }) => unknown;
};
const { errorCodes } = load('kafkajs/src/protocol/error') as {
  errorCodes: readonly { readonly code: number; readonly type: string }[];
};

/** Names of the broker's error codes that kafkajs knows (-1 to 88). */
export const kafkajsErrorNames: ReadonlyMap<number, string> = new Map(
  errorCodes.map(({ code, type }) => [code, type]),
);

/** Every failure reaches us as an error of a request; kafkajs's own lines would say it twice. */
const silent = createLogger({ level: 0, logCreator: () => () => undefined });

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;

/** A broker at an address, not connected yet. `prepare` sees both connections before they are first used. */
export function newBroker(
  address: { readonly host: string; readonly port: number },
  clientId: string,
  prepare: (connection: Connection) => void,
): Broker {
  const pool = new ConnectionPoolClass({
    ...address,
    clientId,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    logger: silent,
    socketFactory: () => {
      throw new Error('the connection was not prepared');
    },
  });
  pool.pool.forEach(prepare);
  return new BrokerClass({ connectionPool: pool, logger: silent, allowAutoTopicCreation: false });
}

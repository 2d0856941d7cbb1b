/** Makes the sockets of a kafkajs connection: no Nagle delay, answers assembled in frames, stale sockets unheard. */
import { connect, type Socket } from 'node:net';
import type { BytePool } from '../byte-pool.ts';
import { FrameAssembler } from './frames.ts';
import type { Connection } from './kafkajs.ts';

const KEEP_ALIVE_MS = 60_000;
const LIMITS_CHECK_MS = 1_000;

export interface Address {
  readonly host: string;
  readonly port: number;
}
/** Where a broker is reached from here that says it is at this address. */
export type Reach = (advertised: Address) => Address;

/**
 * Prepares a connection before its first use.
 *
 * kafkajs only half-closes a socket it gives up, and feeds whatever still arrives on it into the same parser as its
 * successor's bytes. Here each socket has a parser of its own, heard only while the socket is the connection's.
 */
export function prepareConnection(connection: Connection, pool: BytePool, reach: Reach): void {
  quietTimers(connection);
  connection.socketFactory = (advertised) => {
    const frames = new FrameAssembler(pool, (frame) => {
      connection.requestQueue.fulfillRequest({
        correlationId: frame.readInt32BE(0),
        payload: frame.subarray(4),
        size: frame.length,
      });
    });
    const socket: Socket = connect(
      {
        ...reach(advertised),
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE_MS,
        onread: {
          buffer: () => frames.space(),
          callback: (count, buffer) => {
            if (connection.socket !== socket) return true;
            if (connection.authHandlers !== null) {
              // SASL's answers are not framed as others are; kafkajs reads them. It keeps the bytes, so copy.
              socket.emit('data', Buffer.from(buffer.subarray(0, count)));
              return true;
            }
            try {
              frames.received(count);
            } catch (error) {
              socket.destroy(error as Error); // out of step: nothing later on this socket can be read
            }
            return true;
          },
        },
      },
      advertised.onConnect,
    );
    return socket;
  };
}

/**
 * kafkajs 2.2.4 arms a timer to look for queued requests after every answer, and that timer arms the next, 1 ms later,
 * for ever: about 1,000 wake-ups a second for each idle connection. Its time is that to the end of a throttling at -1 ms
 * since 1970, so Node warns of a negative one. With nothing queued there is nothing to look for.
 * It also looks ten times a second, on every connection, for a request that is past its limit of 15 s: here once.
 */
function quietTimers(connection: Connection): void {
  const queue = connection.requestQueue;
  const schedule = queue.scheduleCheckPendingRequests.bind(queue);
  queue.scheduleCheckPendingRequests = () => {
    if (queue.pending.length > 0) schedule();
  };
  queue.scheduleRequestTimeoutCheck = () => {
    queue.destroy();
    queue.requestTimeoutIntervalId = setInterval(() => {
      const now = Date.now();
      for (const request of queue.inflight.values()) {
        if (now - request.sentAt > request.requestTimeout) request.timeoutRequest();
      }
      if (!queue.isConnected()) queue.destroy();
    }, LIMITS_CHECK_MS);
  };
}

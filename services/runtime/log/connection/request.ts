/**
 * Sends a request over a kafkajs connection and resolves with the answer's body. Bodies go out as the buffers they are
 * (kafkajs copies each request three times into zeroed memory).
 */
import type { Socket } from 'node:net';
import { CodedError } from '../../errors.ts';
import type { Broker, Connection } from './kafkajs.ts';
import { WireReader } from '../protocol/wire-reader.ts';
import type { WireRequest } from '../protocol/wire-request.ts';
import { WireWriter } from '../protocol/wire-writer.ts';

const FETCH = 1;
const connecting = new WeakMap<Connection, Promise<unknown>>();

/** Rejects with kafkajs's connection and timeout errors; error codes in the body are the caller's to read. */
export async function request(broker: Broker, wanted: WireRequest): Promise<WireReader> {
  const connection = broker.connectionPool.pool[wanted.apiKey === FETCH ? 1 : 0];
  if (!connection.isConnected()) await connectOnce(connection);
  if (connection.sasl !== undefined && connection.sasl !== null && !connection.isAuthenticated())
    await connection.authenticate();
  const socket = connection.socket;
  // kafkajs calls a connection connected while it disconnects. Once pushed, the request would wait for its time limit.
  if (socket === undefined || socket.destroyed)
    throw new CodedError('log_unavailable', 'could not send a request: the connection is closed');
  const correlationId = connection.nextCorrelationId();
  const { apiKey, apiName, apiVersion } = wanted;
  const payload = await new Promise<Buffer>((resolve, reject) => {
    connection.requestQueue.push({
      entry: {
        apiKey,
        apiName,
        apiVersion,
        correlationId,
        resolve: (answer) => {
          resolve(answer.payload);
        },
        reject,
      },
      expectResponse: true,
      requestTimeout: wanted.timeoutMs ?? null,
      sendRequest: () => {
        write(socket, connection.clientId, wanted, correlationId);
      },
    });
  });
  const reader = new WireReader(payload);
  if (wanted.flexible === true) reader.skipTags();
  return reader;
}

function write(socket: Socket, clientId: string, wanted: WireRequest, correlationId: number): void {
  const header = new WireWriter()
    .int32(0)
    .int16(wanted.apiKey)
    .int16(wanted.apiVersion)
    .int32(correlationId)
    .string(clientId);
  if (wanted.flexible === true) header.noTags();
  const bodyBytes = wanted.body.reduce((sum, part) => sum + part.length, 0);
  header.setInt32(0, header.length - 4 + bodyBytes);
  socket.cork();
  socket.write(header.finish());
  for (const part of wanted.body) socket.write(part);
  socket.uncork();
}

/**
 * Requests that find a connection closed would each open a socket. Only the last is used; the others stay open, and
 * when the broker ends one of them, kafkajs takes it for the connection's end and fails whatever is under way.
 */
async function connectOnce(connection: Connection): Promise<void> {
  let attempt = connecting.get(connection);
  if (attempt === undefined) {
    attempt = connection.connect().finally(() => connecting.delete(connection));
    connecting.set(connection, attempt);
  }
  await attempt;
}

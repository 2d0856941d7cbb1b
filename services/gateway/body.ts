/**
 * Bodies are read to Buffers, whatever their content type says: clients send JSON as text/plain, JSON types with empty
 * bodies, and empty forms (spec A.0 row 7). Every body is bounded, and so is the sum of those in memory.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { bodyBytesMax } from '../../schemas/http/limits.ts';
import { CodedError } from '../runtime/errors.ts';

/** Bodies of all requests together; more are answered 503 until some are done. */
export const bodiesBytesMax = 128 * 1_024 * 1_024;

const inflate = promisify(gunzip);

export function readBodies(app: FastifyInstance): void {
  const held = new WeakMap<FastifyRequest, number>();
  let heldBytes = 0;

  app.addHook('onRequest', (request, _reply, done) => {
    // A content type that cannot be parsed would be answered 415; what it says does not matter here.
    if (request.headers['content-type'] !== undefined) request.headers['content-type'] = 'application/json';
    done();
  });
  app.addHook('onResponse', (request, _reply, done) => {
    heldBytes -= held.get(request) ?? 0;
    held.delete(request);
    done();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    const bytes = await readAll(request, payload);
    return request.headers['content-encoding']?.toLowerCase() === 'gzip' ? await decompress(bytes) : bytes;
  });

  function readAll(request: FastifyRequest, payload: IncomingMessage): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const refuse = (error: Error): void => {
        // What still comes is read and forgotten: a connection cut short would hide the answer from the client.
        payload.removeListener('data', keep);
        payload.resume();
        reject(error);
      };
      const keep = (chunk: Buffer): void => {
        bytes += chunk.length;
        if (bytes > bodyBytesMax) {
          refuse(tooLarge());
          return;
        }
        if (heldBytes + chunk.length > bodiesBytesMax) {
          refuse(overloaded());
          return;
        }
        heldBytes += chunk.length;
        held.set(request, (held.get(request) ?? 0) + chunk.length);
        chunks.push(chunk);
      };
      if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) {
        refuse(tooLarge());
        return;
      }
      payload.on('data', keep);
      payload.once('end', () => {
        resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
      });
      payload.once('error', reject);
    });
  }
}

async function decompress(bytes: Buffer): Promise<Buffer> {
  if (bytes.length === 0) return bytes;
  try {
    return await inflate(bytes, { maxOutputLength: bodyBytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new CodedError('body_malformed', 'could not read the body: it is not gzip', { cause: error });
  }
}

function tooLarge(): CodedError {
  const message = `could not take the body: it is larger than ${String(bodyBytesMax)} bytes`;
  return new CodedError('body_too_large', message);
}

function overloaded(): CodedError {
  const message = 'could not take the body: too many are being read';
  return new CodedError('bodies_overloaded', message, { retryable: true });
}

/**
 * The same routes over TLS, on a port of its own. Certificate and key are files of the operator's, who replaces them before
 * they expire: they are looked at again and again, and new connections get the new ones. A pair that does not belong
 * together, as in between two writes, leaves the old one in place.
 */
import { createServer, type Server } from 'node:https';
import type { FastifyInstance } from 'fastify';
import { CodedError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { answerBroken, doorOptions, requestMsMax, type Doors } from './door.ts';
import { readPair, unusablePair, type Pair, type TlsFiles } from './tls-pair.ts';

export interface HttpsOptions extends TlsFiles {
  /** Is ready. */
  readonly app: FastifyInstance;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly logger: Logger;
  readonly doors: Doors;
  readonly lookAgainMs?: number;
}

export interface HttpsDoor {
  readonly port: number;
  /** Requests under way end first. */
  close(): Promise<void>;
  closeAllConnections(): void;
}

const lookAgainMsUsual = 10_000;
const handshakeMsMax = 30_000;

/** @throws CodedError `tls_unreadable`, `port_taken`. */
export async function openHttps(options: HttpsOptions): Promise<HttpsDoor> {
  const { app, host, port, logger, doors, lookAgainMs = lookAgainMsUsual } = options;
  const first = readPair(options);
  const server = createServerOf(first, (request, answer) => {
    app.routing(request, answer);
  });
  doors.guard(server);
  server.on('clientError', answerBroken);
  await listen(server, host, port);
  let told = first;
  const looking = setInterval(() => {
    told = lookAgain({ server, files: options, told, logger });
  }, lookAgainMs);
  looking.unref();
  const address = server.address();
  return {
    port: address === null || typeof address === 'string' ? port : address.port,
    close: () => {
      clearInterval(looking);
      return new Promise((done) => {
        server.close(() => {
          done();
        });
        server.closeIdleConnections();
      });
    },
    closeAllConnections: () => {
      server.closeAllConnections();
    },
  };
}

function createServerOf(pair: Pair, listener: Parameters<typeof createServer>[1]): Server {
  try {
    return createServer(
      { ...pair, ...doorOptions, requestTimeout: requestMsMax, handshakeTimeout: handshakeMsMax },
      listener,
    );
  } catch (error) {
    throw unusablePair(error);
  }
}

interface Look {
  readonly server: Server;
  readonly files: TlsFiles;
  /** What was found when it was last looked at. */
  readonly told: Pair;
  readonly logger: Logger;
}

function lookAgain({ server, files, told, logger }: Look): Pair {
  let found = told;
  try {
    found = readPair(files);
    if (found.cert === told.cert && found.key === told.key) return told;
    server.setSecureContext({ ...found });
    logger.info({ cert: files.cert }, 'a new certificate is in force');
  } catch (error) {
    logger.error({ error }, 'could not take a new certificate; the old one stays in force');
  }
  return found;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') {
        fail(error);
        return;
      }
      const options = { cause: error, hint: 'Set HINDSIGHT_HTTPS_PORT to a free port.' };
      const message = `could not listen on port ${String(port)}: something else does`;
      fail(new CodedError('port_taken', message, options));
    });
    server.listen(port, host, done);
  });
}

/** The HTTP server in front of the embedded engine: /ping, and queries of accounts. Listens on the loopback only. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { accountOf, type Account } from './accounts.ts';
import { Connections } from './connections.ts';
import { wireException } from './exception.ts';
import { execute } from './execute.ts';
import { limits } from './limits.ts';
import { readOnlyGuard } from './read-only.ts';
import { readRequest } from './request.ts';
import { Spool } from './spool.ts';

export interface EngineOptions {
  readonly dataFolder: string;
  /** 0: any free port. */
  readonly port: number;
  readonly accounts: readonly Account[];
}

export interface RunningEngine {
  readonly port: number;
  /** Lets queries under way end, a bounded time, then closes. */
  stop(): Promise<void>;
}

export async function startEngine({ dataFolder, port, accounts }: EngineOptions): Promise<RunningEngine> {
  const connections = new Connections(dataFolder);
  const spool = new Spool(dataFolder);
  const timezone = connections.ask('SELECT timezone()');
  const guard = readOnlyGuard(connections.ask('SELECT name FROM system.table_functions').split('\n'));

  async function handle(
    message: IncomingMessage,
    response: ServerResponse,
    query: URLSearchParams,
  ): Promise<void> {
    const account = accountOf(message, query, accounts);
    const request = await readRequest(message, query, spool);
    try {
      // A reader can leave nothing in a session, and readonly = 1 could not be set twice: each request stands alone.
      const named = account.readOnly ? undefined : request.session;
      const session = named === undefined ? undefined : { account: account.name, ...named };
      await connections.run(session, (connection) =>
        execute(connection, { account, request, response, connections, guard, timezone }),
      );
    } finally {
      request.data?.remove();
    }
  }

  const server = createServer((message, response) => {
    const url = new URL(message.url ?? '/', 'http://engine');
    if (url.pathname === '/ping' || url.pathname === '/replicas_status') {
      response.end('Ok.\n');
    } else if (message.method === 'GET' && url.pathname === '/' && url.search === '') {
      response.end('Ok.\n');
    } else {
      handle(message, response, url.searchParams).catch((error: unknown) => {
        fail(message, response, error);
      });
    }
  });
  server.keepAliveTimeout = 30_000;
  server.requestTimeout = 0; // an insert may stream its body for long
  await listen(server, port);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const deadline = Date.now() + limits.stopMsMax;
      while (connections.running > 0 && Date.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 20));
      server.closeAllConnections();
      await closed;
      connections.close();
      spool.close();
    },
  };
}

function fail(message: IncomingMessage, response: ServerResponse, error: unknown): void {
  const { code, status, text } = wireException(error);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Exception-Code': String(code),
    // What is left of a refused body is not read: the connection cannot be used again.
    ...(message.complete ? {} : { Connection: 'close' }),
  });
  response.end(text);
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

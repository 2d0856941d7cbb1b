/** The HTTP server in front of the embedded engine: /ping, and queries of accounts. Listens on the loopback only. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { accessArguments, type Readable } from './access.ts';
import { accountOf, type Account } from './accounts.ts';
import { Connections } from './connections.ts';
import { wireException } from './exception.ts';
import { execute, type Execution } from './execute.ts';
import { limits } from './limits.ts';
import { readOnlyGuard, type ReadOnlyGuard } from './read-only.ts';
import { readerDeadline } from './reader-deadline.ts';
import { readReaderFunctions } from './reader-functions.ts';
import { ReaderQueue } from './reader-queue.ts';
import { ReaderThreads } from './reader-threads.ts';
import { nativeBlocksOf } from './native-blocks.ts';
import { readRequest, wantsBlocks } from './request.ts';
import { Spool, type SpooledBody } from './spool.ts';

export interface EngineOptions {
  readonly dataFolder: string;
  /** 0: any free port. */
  readonly port: number;
  readonly accounts: readonly Account[];
  /** What read-only accounts may see. */
  readonly readable: Readable;
}

export interface RunningEngine {
  readonly port: number;
  /** Lets queries under way end, a bounded time, then closes. */
  stop(): Promise<void>;
}

interface Asked {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
}

/** Asks whether somebody is there. */
function isGreeting({ method }: IncomingMessage, { pathname, search }: URL): boolean {
  return (
    ['/ping', '/replicas_status'].includes(pathname) ||
    (method === 'GET' && pathname === '/' && search === '')
  );
}

export async function startEngine(options: EngineOptions): Promise<RunningEngine> {
  const { dataFolder, port, accounts } = options;
  const connectionArgs = accessArguments(dataFolder, options.readable);
  const connections = new Connections(dataFolder, connectionArgs);
  const threads = new ReaderThreads({ folder: dataFolder, options: { connectionArgs } });
  const spool = new Spool(dataFolder);
  const engine = factsOf(connections);
  const readers = new ReaderQueue({
    runningMax: limits.readersRunningMax,
    waitingMax: limits.readersWaitingMax,
    waitMsMax: limits.readerWaitMsMax,
  });

  async function handle(
    message: IncomingMessage,
    response: ServerResponse,
    query: URLSearchParams,
  ): Promise<void> {
    const account = accountOf(message, query, accounts);
    if (account.readOnly) {
      // Before its body is read: what waits holds no text.
      await readers.run(goneSignal(response), () => answer(account, { message, response, query }));
    } else await answer(account, { message, response, query });
  }

  async function answer(account: Account, { message, response, query }: Asked): Promise<void> {
    const inTime = account.readOnly ? deadlineOf(account, response) : undefined;
    let data: SpooledBody | undefined;
    try {
      const request = await readRequest(message, query, { spool, readOnly: account.readOnly });
      data = request.data;
      // A reader can leave nothing in a session, and readonly = 1 could not be set twice: each request stands alone.
      const named = account.readOnly ? undefined : request.session;
      const session = named === undefined ? undefined : { account: account.name, ...named };
      await connections.run(session, (connection) =>
        execute(connection, { account, request, response, connections, threads, ...engine }),
      );
    } finally {
      inTime?.();
      data?.remove();
    }
  }

  const server = createServer((message, response) => {
    const url = addressOf(message);
    if (url === undefined) {
      response.writeHead(400, { Connection: 'close' }).end('could not read the address of the request\n');
    } else if (isGreeting(message, url)) {
      response.end('Ok.\n');
    } else {
      handle(message, response, url.searchParams).catch((error: unknown) => {
        fail(message, response, { error, inBlocks: wantsBlocks(url.searchParams) });
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
      await untilNoneRuns(connections, limits.stopMsMax);
      server.closeAllConnections();
      await closed;
      await threads.close();
      connections.close();
      spool.close();
    },
  };
}

function deadlineOf({ name }: Account, response: ServerResponse): () => void {
  return readerDeadline({
    endMs: limits.readerSecondsMax * 1000 + limits.readerGraceMs,
    overdueMs: limits.readerOverdueMs,
    end: () => response.destroy(),
    tell: (seconds) => {
      process.stderr.write(
        `a query of ${name} has run for ${String(seconds)} s and cannot be stopped: until it ends, or this process is started again, it holds one of ${String(limits.readersRunningMax)} places and a processor\n`,
      );
    },
  });
}

async function untilNoneRuns(connections: Connections, msMax: number): Promise<void> {
  const deadline = Date.now() + msMax;
  while (connections.running > 0 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

/** undefined: it is none, such as `//`. Anybody on the machine may ask for it, and pages in their browsers. */
function addressOf({ url = '/' }: IncomingMessage): URL | undefined {
  return URL.canParse(url, 'http://engine') ? new URL(url, 'http://engine') : undefined;
}

/** What each statement goes by, asked once. */
function factsOf(connections: Connections): Pick<Execution, 'guard' | 'timezone' | 'defaults'> {
  return {
    guard: guardOf(connections),
    timezone: connections.ask('SELECT timezone()'),
    defaults: settingsOf(connections),
  };
}

function guardOf(connections: Connections): ReadOnlyGuard {
  const names = (table: string): string[] => connections.ask(`SELECT name FROM system.${table}`).split('\n');
  return readOnlyGuard(readReaderFunctions(), {
    functions: names('functions'),
    tableFunctions: names('table_functions'),
  });
}

function settingsOf(connections: Connections): ReadonlyMap<string, string> {
  const lines = connections.ask('SELECT name, value FROM system.settings').split('\n');
  return new Map(lines.map((line) => [line.split('\t')[0] ?? '', line.split('\t')[1] ?? '']));
}

/** Aborts when the response's connection closes. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  if (response.destroyed) gone.abort();
  return gone.signal;
}

/** In native compression where the answer would have been: its readers unpack errors too, and read nothing else. */
function fail(
  message: IncomingMessage,
  response: ServerResponse,
  { error, inBlocks }: { readonly error: unknown; readonly inBlocks: boolean },
): void {
  const { code, status, text } = wireException(error);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Exception-Code': String(code),
    ...(status === 503 ? { 'Retry-After': '1' } : {}),
    // What is left of a refused body is not read: the connection cannot be used again.
    ...(message.complete ? {} : { Connection: 'close' }),
  });
  response.end(inBlocks ? nativeBlocksOf(Buffer.from(text)) : text);
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

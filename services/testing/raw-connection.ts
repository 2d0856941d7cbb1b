/** One TCP connection to a server under test: bytes go out as they are given, so a test can send what no client would. */
import type { FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @returns the port, on every loopback address. */
export async function listen(server: FastifyInstance): Promise<number> {
  await server.listen({ host: '0.0.0.0', port: 0 });
  return (server.server.address() as AddressInfo).port; // it listens on TCP
}

export class TestConnection {
  readonly #socket: Socket;
  #received = '';
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined); // a reset is one of the things that are tested
    socket.on('data', (bytes) => (this.#received += bytes.toString('latin1')));
    this.closed = new Promise((done) => {
      socket.once('close', () => {
        done();
      });
    });
  }

  static async open(port: number, localAddress = '127.0.0.1'): Promise<TestConnection> {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    const connection = new TestConnection(socket);
    await once(socket, 'connect');
    return connection;
  }

  /** Resolves when the bytes have left, or can no longer leave. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((done) => {
      this.#socket.write(bytes, () => {
        done();
      });
    });
  }

  post(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | Uint8Array = '',
  ): Promise<void> {
    return this.send(Buffer.concat([Buffer.from(head('POST', path, headers)), Buffer.from(body)]));
  }

  /** What is on its way still arrives. */
  close(): void {
    this.#socket.destroy();
  }
  /** What is on its way may be lost. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }
  /** No more is sent from here on; what the server says is still read. */
  finish(): void {
    this.#socket.end();
  }

  /** All that came; waits until the server ends the connection. */
  async answer(): Promise<RawAnswer> {
    await this.closed;
    return parseAnswer(this.#received);
  }
  get text(): string {
    return this.#received;
  }
}

export function head(method: string, path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** One request on a connection of its own. */
export async function rawCall(
  port: number,
  bytes: string | Uint8Array,
  localAddress?: string,
): Promise<RawAnswer> {
  const connection = await TestConnection.open(port, localAddress);
  await connection.send(bytes);
  return connection.answer();
}

function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [first = '', ...lines] = text.slice(0, Math.max(end, 0)).split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return {
    status: Number(first.split(' ')[1] ?? 0),
    headers: Object.fromEntries(headers),
    body: end < 0 ? '' : text.slice(end + 4),
  };
}

/** A TCP proxy in front of a broker that can cut, hold and refuse connections: a network on a bad day. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Address } from './socket.ts';

export class TestProxy {
  readonly #target: Address;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #address: Address | undefined;
  #held = false;

  static async open(target: string): Promise<TestProxy> {
    const [host = '', port = ''] = target.split(':');
    const proxy = new TestProxy({ host, port: Number(port) });
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    const address = proxy.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    proxy.#address = { host: '127.0.0.1', port: address.port };
    return proxy;
  }

  private constructor(target: Address) {
    this.#target = target;
    this.#server = createServer((client) => {
      this.#accept(client);
    });
  }

  get address(): Address {
    if (this.#address === undefined) throw new Error('the proxy is not open');
    return this.#address;
  }

  /** Resets every connection, whatever is under way. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
    this.#pairs.clear();
  }

  /** Answers of the broker stay in the proxy. */
  hold(): void {
    this.#held = true;
    for (const [, broker] of this.#pairs) broker.pause();
  }
  letGo(): void {
    this.#held = false;
    for (const [, broker] of this.#pairs) broker.resume();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }

  #accept(client: Socket): void {
    const broker = connect(this.#target.port, this.#target.host);
    const pair = [client, broker] as const;
    this.#pairs.add(pair);
    client.on('data', (bytes) => broker.write(bytes));
    broker.on('data', (bytes) => client.write(bytes));
    if (this.#held) broker.pause();
    for (const socket of pair) {
      socket.on('error', () => undefined); // a cut is what the proxy is for
      socket.on('close', () => {
        this.#pairs.delete(pair);
        client.destroy();
        broker.destroy();
      });
    }
  }
}

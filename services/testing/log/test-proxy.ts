/**
 * A TCP proxy in front of a broker that can cut and hold connections: a network on a bad day. Where it cuts is told in
 * requests and bytes and never in time, so that the same happens on a slow machine as on a fast one.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Address } from '../../runtime/log/connection/socket.ts';

/** At a request: it never leaves; the broker has it, and works on it; the broker has done it, and nobody hears so. */
export type Cut = 'before it arrives' | 'while it is served' | 'at its answer';

interface Pair {
  readonly client: Socket;
  readonly broker: Socket;
  /** The request under way is the last that the broker answers to nobody. */
  cutAtAnswer: boolean;
}

export class TestProxy {
  /** Asked for each request, by its API key. */
  cutAt: (apiKey: number) => Cut | undefined = () => undefined;
  readonly #target: Address;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #address: Address | undefined;
  #held = false;
  #accepted = 0;
  #cuts = 0;
  #answerBytes: ((cuts: number) => number) | undefined;
  #answerBytesLeft = Number.POSITIVE_INFINITY;

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

  /** Connections so far. */
  get accepted(): number {
    return this.#accepted;
  }

  get cuts(): number {
    return this.#cuts;
  }

  /** Resets every connection, whatever is under way. */
  cut(): void {
    this.#cuts++;
    this.#answerBytesLeft = this.#answerBytes?.(this.#cuts) ?? Number.POSITIVE_INFINITY;
    for (const { client, broker } of this.#pairs) {
      client.resetAndDestroy();
      broker.resetAndDestroy();
    }
    this.#pairs.clear();
  }

  /** Cuts whenever so many bytes of answers have passed since the last cut, in the middle of an answer. */
  cutAfterAnswers(bytes: (cuts: number) => number): void {
    this.#answerBytes = bytes;
    this.#answerBytesLeft = bytes(this.#cuts);
  }

  /** Answers of the broker stay in the proxy. */
  hold(): void {
    this.#held = true;
    for (const { broker } of this.#pairs) broker.pause();
  }
  letGo(): void {
    this.#held = false;
    for (const { broker } of this.#pairs) broker.resume();
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
    this.#accepted++;
    const broker = connect(this.#target.port, this.#target.host);
    const pair: Pair = { client, broker, cutAtAnswer: false };
    this.#pairs.add(pair);
    const requests = new Requests();
    client.on('data', (bytes) => {
      for (const request of requests.completedBy(bytes)) if (!this.#passOn(pair, request)) return;
    });
    broker.on('data', (bytes) => {
      this.#answer(pair, bytes);
    });
    if (this.#held) broker.pause();
    for (const socket of [client, broker]) {
      socket.on('error', () => undefined); // a cut is what the proxy is for
      socket.on('close', () => {
        this.#pairs.delete(pair);
        client.destroy();
        if (!broker.writableEnded) broker.destroy();
      });
    }
  }

  /** @returns whether there is still a connection. */
  #passOn(pair: Pair, request: Buffer): boolean {
    const cut = this.cutAt(request.readInt16BE(4));
    pair.cutAtAnswer ||= cut === 'at its answer';
    if (cut === 'while it is served') {
      this.#pairs.delete(pair); // not reset: then the broker might not read what it has
      pair.broker.end(request);
      pair.client.resetAndDestroy();
    } else if (cut !== 'before it arrives') {
      pair.broker.write(request);
      return true;
    }
    this.cut();
    return false;
  }

  #answer(pair: Pair, bytes: Buffer): void {
    if (!this.#pairs.has(pair)) return;
    if (pair.cutAtAnswer) {
      this.cut();
      return;
    }
    this.#answerBytesLeft -= bytes.length;
    if (this.#answerBytesLeft >= 0) {
      pair.client.write(bytes);
      return;
    }
    this.#pairs.delete(pair); // not reset: then the client might not read the beginning
    pair.client.end(bytes.subarray(0, this.#answerBytesLeft));
    pair.broker.resetAndDestroy();
    this.cut();
  }
}

/** A stream of bytes as whole requests, each with its length in front. */
class Requests {
  #held = Buffer.alloc(0);

  *completedBy(bytes: Buffer): Generator<Buffer> {
    this.#held = Buffer.concat([this.#held, bytes]);
    for (;;) {
      const end = this.#held.length < 6 ? Infinity : 4 + this.#held.readInt32BE(0);
      if (this.#held.length < end) return;
      yield this.#held.subarray(0, end);
      this.#held = this.#held.subarray(end);
    }
  }
}

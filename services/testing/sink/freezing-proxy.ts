/** A TCP proxy whose connections can be stopped in the middle of a request and go on later. For drills. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface FreezingProxy {
  readonly url: string;
  /** From the n-th byte towards the server on, nothing more passes until thaw. */
  freezeAfter(bytes: number): void;
  /** Resolves when something is held back. */
  readonly frozen: Promise<void>;
  thaw(): void;
  close(): void;
}

export async function startFreezingProxy(target: URL): Promise<FreezingProxy> {
  let passedMax = Infinity;
  let passed = 0;
  let held: (() => void)[] = [];
  let onFrozen: () => void = () => undefined;
  const frozen = new Promise<void>((done) => {
    onFrozen = done;
  });
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', (chunk) => {
      if (passed + chunk.length <= passedMax) {
        passed += chunk.length;
        upstream.write(chunk);
        return;
      }
      const now = Math.max(0, passedMax - passed);
      passed += now;
      upstream.write(chunk.subarray(0, now));
      client.pause();
      held.push(() => {
        upstream.write(chunk.subarray(now));
        client.resume();
      });
      onFrozen();
    });
    client.on('end', () => {
      if (passedMax === Infinity) upstream.end();
      else held.push(() => upstream.end());
    });
    upstream.on('data', (chunk) => client.write(chunk));
    upstream.on('end', () => client.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    frozen,
    freezeAfter: (bytes) => {
      passed = 0;
      passedMax = bytes;
    },
    thaw: () => {
      passedMax = Infinity;
      const all = held;
      held = [];
      for (const release of all) release();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

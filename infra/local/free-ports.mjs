/** Is a port free? Plain JavaScript, since it is asked before the npm packages are installed, which may take minutes. */
import { createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';

/** @returns the port on which one could listen (0: any), or undefined. Without a host: on every address of the machine. */
export function listenOnce(port, host) {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(undefined));
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      const found = server.address().port;
      server.close(() => done(found));
    });
  });
}

/** @returns a sentence about the first port of the settings that another program has, or undefined. What is no port is left to who reads the settings. */
export async function takenPort(env) {
  const host = env.HINDSIGHT_HOST || LOOPBACK;
  const wanted = [
    { variable: 'HINDSIGHT_PORT', usual: 8_080, host },
    { variable: 'HINDSIGHT_HTTPS_PORT', usual: env.HINDSIGHT_TLS_CERT ? 8_443 : undefined, host },
    { variable: 'HINDSIGHT_KAFKA_PORT', host: LOOPBACK },
    { variable: 'HINDSIGHT_REGISTRY_PORT', host: LOOPBACK },
    { variable: 'HINDSIGHT_CLICKHOUSE_PORT', host: LOOPBACK },
  ];
  for (const { variable, usual, host: address } of wanted) {
    const given = variable === 'HINDSIGHT_HTTPS_PORT' && usual === undefined ? undefined : env[variable];
    const port = Number(given || (usual ?? 0));
    if (!Number.isInteger(port) || port < 1 || port > 65_535) continue;
    if ((await listenOnce(port, address)) !== undefined) continue;
    return `could not start: port ${port} is taken by another program. Stop that program, or set ${variable} to a free port.`;
  }
  return undefined;
}

/** Which TCP ports of this machine are free. An answer may be out of date a moment later; starting tells. */
import { createServer } from 'node:net';
import { CodedError } from '../../services/runtime/errors.ts';

const LOOPBACK = '127.0.0.1';

/** The usual one if it is free, else any. */
export async function choosePort(usual: number | undefined): Promise<number> {
  if (usual !== undefined && (await isPortFree(usual, LOOPBACK))) return usual;
  const port = await listenOnce(0, LOOPBACK);
  if (port === undefined) throw new CodedError('no_port', 'could not find a free port on 127.0.0.1');
  return port;
}

/** @param host without it: on every address of the machine. */
export async function isPortFree(port: number, host?: string): Promise<boolean> {
  return (await listenOnce(port, host)) !== undefined;
}

function listenOnce(port: number, host?: string): Promise<number | undefined> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => {
      done(undefined);
    });
    server.listen({ port, ...(host !== undefined && { host }) }, () => {
      const address = server.address();
      server.close(() => {
        done(typeof address === 'object' && address !== null ? address.port : undefined);
      });
    });
  });
}

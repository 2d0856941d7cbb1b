/**
 * The least that takes an event over HTTP: a bare Node handler that reads the body, parses it and answers. What no door
 * of Node's can be faster than. Prints its URL.
 */
import { createServer } from 'node:http';

const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'access-control-allow-origin': '*',
  'cache-control': 'no-cache, no-store, must-revalidate, max-age=0',
  'content-length': '3',
};

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const [first] = chunks;
    const body = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
    const parsed: unknown = JSON.parse(body.toString());
    response.writeHead(typeof parsed === 'object' ? 200 : 400, HEADERS).end('{}\n');
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null)
    console.log(`http://127.0.0.1:${String(address.port)}`);
});
process.stdin.resume().on('end', () => process.exit(0));

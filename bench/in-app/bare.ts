/**
 * The least that answers a poll over HTTP: a bare Node handler that reads the address, looks the visitor up in a map and
 * answers with a tag. What no queue of Node's can be cheaper than. Prints its URL.
 */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const seen = new Map<string, number>();
const visitorsMax = 100_000;

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://bare');
  const visitor = searchParams.get('anonymous_id') ?? '';
  const polls = (seen.get(visitor) ?? 0) + 1;
  if (seen.size < visitorsMax) seen.set(visitor, polls);
  const text = '{"messages":[],"poll_seconds":10}\n';
  const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
  response
    .writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'access-control-allow-origin': '*',
      'content-length': String(text.length),
      etag,
    })
    .end(text);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null)
    console.log(`http://127.0.0.1:${String(address.port)}`);
});
process.stdin.resume().on('end', () => process.exit(0));

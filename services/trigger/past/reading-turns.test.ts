/** Reading the past shares its process with what is decided: it gives way, however much the engine has sent already. */
import { expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ClickhousePast } from './clickhouse.ts';

const ROWS = 40_000;
/** More than the engine's answer has in one piece of its socket. */
const ROWS_A_TURN_MAX = 2_000;

test('other work has its turn between the rows of a long answer', async () => {
  const row = JSON.stringify([
    'cio_1',
    'event',
    'Cart',
    'm',
    '1',
    '1',
    '{"product_id":"boots"}',
    false,
    0,
    '1',
  ]);
  const answer = `${row}\n`.repeat(ROWS);
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      const isEvents = body.includes('ORDER BY person_id');
      const isMoved = body.includes('today_id');
      response.end(isEvents ? answer : isMoved ? '' : '["1","1"]\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // as listened to
  const address = { url: `http://127.0.0.1:${String(port)}`, username: 'u', password: 'p', database: 'd' };
  const past = new ClickhousePast({ ...address, layout: { type: 'single' }, shardUrls: [] });
  let [rows, since, most] = [0, 0, 0];
  let turns = setImmediate(function turn() {
    since = 0;
    turns = setImmediate(turn);
  });
  try {
    const parts = [{ partition: 0, fence: 9, from: '' }];
    const asked = { workspace: 'w', names: ['Cart'], factsTo: 9, parts };
    const { events } = await past.read(asked);
    for await (const { personId } of events) {
      rows += personId === 'cio_1' ? 1 : 0;
      since += 1;
      most = Math.max(most, since);
    }
    expect(rows).toBe(ROWS);
    expect(most).toBeLessThan(ROWS_A_TURN_MAX);
  } finally {
    clearImmediate(turns);
    await past.close();
    server.close();
  }
});

/** What a reading of the past of a journey asks ClickHouse for at once: so much that it is in memory. */
import { expect, test } from '@jest/globals';
import { ClickhousePlacing } from './clickhouse-placing.ts';
import { historyEventsMax } from './reading-chunks.ts';
import type { AskRows, HistoriesQuestion } from './source.ts';

const question: HistoriesQuestion = {
  ...{ workspace: 'w', partition: 1, fence: 100, fences: [100, 100], metAt: 0, from: '', factsTo: 1 },
  ...{ names: ['Cart'], triggerNames: ['Cart'], manual: [] },
  by: 'events',
};
const PEOPLE = 150;
const ids = Array.from({ length: PEOPLE }, (_, number) => `cio_${String(number).padStart(3, '0')}`);

/** Of each person so many events, and who they are today. */
function engine(sizeOf: (id: string) => number, todayOf: (id: string) => string = (id) => id) {
  const read: number[] = [];
  const ask: AskRows = (query, { ids: asked = [] }) => {
    const people = asked as readonly string[]; // as the query has it
    if (query.includes('FROM stored_facts')) return Promise.resolve([[0, 0]]);
    if (query.includes('uniqExact')) return Promise.resolve([[PEOPLE]]);
    if (query.includes('SELECT DISTINCT person_id')) return Promise.resolve(ids.map((id) => [id]));
    if (query.includes('count(), max(today_id)')) {
      return Promise.resolve(people.map((id) => [id, String(sizeOf(id)), todayOf(id)]));
    }
    if (query.includes('ORDER BY merged_at, _offset') && !query.includes('LIMIT 1 BY')) {
      read.push(people.reduce((sum, id) => sum + sizeOf(id), 0));
    }
    return Promise.resolve([]);
  };
  return { read, placing: new ClickhousePlacing(ask) };
}

async function told(placing: ClickhousePlacing) {
  const people = [];
  for await (const page of placing.histories(question)) people.push(...page.people);
  return people;
}

test('people of many events are read a few at a time, and each of them once', async () => {
  const { read, placing } = engine(() => historyEventsMax);
  const people = await told(placing);
  expect(people.map(({ writtenId }) => writtenId)).toEqual(ids);
  expect(Math.max(...read)).toBeLessThanOrEqual(50_000);
  expect(read.reduce((sum, size) => sum + size, 0)).toBe(PEOPLE * historyEventsMax);
});

test('people of few events are read together', async () => {
  const { read, placing } = engine(() => 10);
  expect(await told(placing)).toHaveLength(PEOPLE);
  expect(read).toEqual([PEOPLE * 10]);
});

test('of whoever has more than are read nothing is read, and who it was is told where they are somebody', async () => {
  const { read, placing } = engine(
    (id) => (id === 'cio_001' || id === 'cio_002' ? historyEventsMax + 1 : 1),
    (id) => (id === 'cio_001' ? 'cio_z' : id === 'cio_002' ? '' : id),
  );
  const people = await told(placing);
  expect(
    people.flatMap(({ writtenId, leftOut }) => (leftOut === undefined ? [] : [[writtenId, leftOut]])),
  ).toEqual([['cio_001', 'cio_z']]);
  expect(read).toEqual([PEOPLE - 2]);
});

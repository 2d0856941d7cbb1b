import { expect, test } from '@jest/globals';
import { parseSegment } from './parse.ts';
import { peopleSql, TooManyConditions } from './sql.ts';
import { quoted } from './sql-text.ts';

function sqlOf(when: unknown): string {
  const parsed = parseSegment({ name: 'x', type: 'data_driven', when });
  if (!parsed.ok || parsed.value.type !== 'data_driven') throw new Error('the rule is good');
  return peopleSql(parsed.value.when, { workspace: 'shop', now: 1_000_000, segment: () => undefined });
}

test('a counting condition reads as one would write it by hand', () => {
  expect(sqlOf({ event: 'Added to Cart', type: 'event', count: { at_least: 2 }, within: 'PT1S' })).toBe(
    "SELECT person_id FROM people WHERE workspace = 'shop' AND (person_id IN (SELECT person_id FROM events WHERE " +
      "(workspace = 'shop' AND least(timestamp, received_at) > fromUnixTimestamp64Milli(toInt64(999000), 'UTC') AND " +
      "name = 'Added to Cart' AND type = 'event' AND merged_at <= fromUnixTimestamp64Milli(toInt64(1000000), 'UTC')) " +
      'GROUP BY person_id HAVING uniqExact(message_id, least(timestamp, received_at)) >= 2))',
  );
});

test('whatever a definition says stays inside its literal', () => {
  expect(quoted("'; DROP TABLE events; -- \\' \0")).toBe("'\\'; DROP TABLE events; -- \\\\\\' \\0'");
  const sql = sqlOf({ attribute: "a') OR 1=1 --", operator: 'eq', value: "\\' OR 1=1" });
  expect(sql).toContain("'a\\') OR 1=1 --'");
  expect(sql).toContain("'\\\\\\' OR 1=1'");
});

test('segments that lead to more conditions than a question may have are no question, and end nothing', () => {
  const of = (id: number) => ({ segment: `s${String(id)}` });
  const segment = (id: string) => {
    const number = Number(id.slice(1));
    const when = number === 60 ? { event: 'A' } : { any: [of(number + 1), of(number + 1)] };
    const parsed = parseSegment({ name: id, type: 'data_driven', when });
    return parsed.ok ? parsed.value : undefined;
  };
  const first = segment('s0');
  if (first?.type !== 'data_driven') throw new Error('the rule is good');
  const { when } = first;
  expect(() => peopleSql(when, { workspace: 'shop', now: 0, segment })).toThrow(TooManyConditions);
});

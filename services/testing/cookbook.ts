/** The questions of docs/cookbook.md, as they stand there, by their numbers. */
import { readFileSync } from 'node:fs';

const page = new URL('../../docs/cookbook.md', import.meta.url);

export function cookbookQuestions(): ReadonlyMap<number, string> {
  const text = readFileSync(page, 'utf8');
  return new Map(
    [...text.matchAll(/^## (\d+)\..*?```sql\n(.*?)```/gms)].map(([, number, sql = '']) => [
      Number(number),
      sql,
    ]),
  );
}

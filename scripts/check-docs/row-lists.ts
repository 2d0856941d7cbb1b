/** Lists of rows as people write them: `3`, `4 and 5`, `1, 2, 22`, `10 to 14, 30`. */

const NUMBER = String.raw`\d{1,3}`;
/** Source of a pattern that finds a list; one `row` or `rows` goes before it. */
export const ROW_LIST = String.raw`${NUMBER}(?:(?:, and |, | and | to )${NUMBER})*`;

export function rowsOf(list: string): readonly number[] {
  const rows: number[] = [];
  let isRange = false;
  for (const part of list.split(/(, and |, | and | to )/)) {
    if (part === ' to ') isRange = true;
    if (!/^\d+$/.test(part)) continue;
    const row = Number(part);
    const from = isRange ? (rows.at(-1) ?? row) + 1 : row;
    for (let each = from; each <= row; each += 1) rows.push(each);
    isRange = false;
  }
  return rows;
}

/** Rows that a text names, as `section/row`: `C.1 rows 1, 2, E rows 10 to 14` names C.1/1, C.1/2, E/10 … E/14. */
export function rowsNamedIn(text: string): ReadonlySet<string> {
  const named = new Set<string>();
  for (const [, section = '', list = ''] of text.matchAll(
    new RegExp(String.raw`\b([A-H]\.\d|E) rows? (${ROW_LIST})`, 'g'),
  )) {
    for (const row of rowsOf(list)) named.add(`${section}/${String(row)}`);
  }
  return named;
}

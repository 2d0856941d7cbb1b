/**
 * The pages of docs/spec. A heading that begins with a letter, or a letter and a number (`## C.1 The anonymous id`),
 * opens a section; a table in it whose third column is `state` has its rows, and a first cell that is a number names
 * one. So `spec C.1 row 14` is the row that begins with 14 below that heading. `*Limits.*` names a part of a section.
 */

export interface Proof {
  readonly path: string;
  /** What the title of a test there has in it. */
  readonly title: string;
}
export interface SpecRow {
  readonly page: string;
  readonly section: string;
  /** As in the first cell; a number for a row that can be cited. */
  readonly name: string;
  /** `done`, `partly: what lacks`, `not yet`. */
  readonly state: string;
  readonly proofs: readonly Proof[];
}
export interface Spec {
  readonly rows: readonly SpecRow[];
  /** Parts by section, in lower case. */
  readonly sections: ReadonlyMap<string, ReadonlySet<string>>;
}

const HEADING = /^#{1,4} ([A-H](?:\.\d)?)\.? /;
const PROOF = /`([^`]+)` “([^”]+)”/g;
const PART = /\*([^*|]+?)\.?\*/g;

export function readSpec(pages: readonly { readonly path: string; readonly text: string }[]): Spec {
  const rows: SpecRow[] = [];
  const sections = new Map<string, Set<string>>();
  for (const { path, text } of pages) {
    let section: string | undefined;
    let isTable = false;
    for (const line of text.split('\n')) {
      section = HEADING.exec(line)?.[1] ?? section;
      if (section === undefined) continue;
      const parts = sections.get(section) ?? new Set<string>();
      sections.set(section, parts);
      for (const [, part = ''] of line.matchAll(PART)) parts.add(part.toLowerCase());
      const cells = cellsOf(line);
      if (cells === undefined) isTable = false;
      else if (cells[2] === 'state') isTable = true;
      else if (isTable && !/^:?-+:?$/.test(cells[0] ?? '')) rows.push(rowOf(path, section, cells));
    }
  }
  return { rows, sections };
}

function cellsOf(line: string): readonly string[] | undefined {
  if (!line.startsWith('|')) return undefined;
  return line
    .slice(1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

function rowOf(page: string, section: string, cells: readonly string[]): SpecRow {
  const [name = '', , state = '', shownBy = ''] = cells;
  const proofs = [...shownBy.matchAll(PROOF)].map(([, path = '', title = '']) => ({ path, title }));
  return { page, section, name, state, proofs };
}

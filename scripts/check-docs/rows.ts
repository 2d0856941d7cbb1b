/** Every row is there once, says its state, and what is done is shown by a test that says so. */
import type { Fault, Tree } from './fault.ts';
import { rowsNamedIn } from './row-lists.ts';
import type { Proof, Spec, SpecRow } from './spec-pages.ts';
import { titlesOf } from './test-titles.ts';

/** Rows of each numbered section. */
const ROWS: Readonly<Record<string, number>> = { 'A.0': 12, 'C.1': 30, E: 118 };
const STATE = /^(?:done|partly: .+|not yet(?:: .+)?)$/;
const COUNTS = /\*\*(\d+)\*\* are done, \*\*(\d+)\*\* partly, \*\*(\d+)\*\* not yet/;
export const specReadme = 'docs/spec/README.md';

export function checkRows(spec: Spec, tree: Tree): readonly Fault[] {
  const titles = new Map<string, readonly string[]>();
  return [
    ...missingAndDoubled(spec),
    ...spec.rows.flatMap((row) => rowFaults(row, tree, titles)),
    ...countFaults(spec, tree),
  ];
}

function missingAndDoubled({ rows }: Spec): readonly Fault[] {
  return Object.entries(ROWS).flatMap(([section, last]) =>
    Array.from({ length: last }, (_, index) => String(index + 1)).flatMap((name): Fault[] => {
      const found = rows.filter((row) => row.section === section && row.name === name);
      if (found.length === 1) return [];
      const message = `${section} row ${name} is there ${String(found.length)} times instead of once`;
      return [{ rule: 'rows', path: found[1]?.page ?? 'docs/spec', message }];
    }),
  );
}

function rowFaults(row: SpecRow, tree: Tree, titles: Map<string, readonly string[]>): readonly Fault[] {
  const { page: path, section, name, state, proofs } = row;
  const what = `${section} row ${name}`;
  if (!STATE.test(state)) {
    const message = `${what} says “${state}”; a state is done, partly: what lacks, or not yet`;
    return [{ rule: 'row', path, message }];
  }
  const faults = proofs.flatMap((proof) => proofFaults(proof, tree, titles));
  const broken = faults.map((message): Fault => ({ rule: 'proof', path, message: `${what}: ${message}` }));
  if (broken.length > 0 || state !== 'done') return broken;
  if (proofs.length === 0) return [{ rule: 'proof', path, message: `${what} is done, and no test is named` }];
  if (!/^\d+$/.test(name) || proofs.some((proof) => namesRow(row, proof, titles))) return [];
  return [{ rule: 'proof', path, message: `${what}: no title of the tests that are named has its number` }];
}

function proofFaults(
  { path, title }: Proof,
  tree: Tree,
  titles: Map<string, readonly string[]>,
): readonly string[] {
  if (!tree.paths.includes(path)) return [`there is no file ${path}`];
  const known = titles.get(path) ?? titlesOf(path, tree.read(path));
  titles.set(path, known);
  return known.some((each) => each.includes(title)) ? [] : [`${path} has no test whose title has “${title}”`];
}

function namesRow(
  { section, name }: SpecRow,
  { path, title }: Proof,
  titles: ReadonlyMap<string, readonly string[]>,
): boolean {
  const found = (titles.get(path) ?? []).filter((each) => each.includes(title));
  return found.some((each) => rowsNamedIn(each).has(`${section}/${name}`));
}

/** The figures at the head of the pages are those of the rows. */
function countFaults({ rows }: Spec, tree: Tree): readonly Fault[] {
  const said = COUNTS.exec(tree.read(specReadme))?.slice(1).join(', ') ?? 'nothing';
  const states = rows.filter(({ section, name }) => section === 'E' && /^\d+$/.test(name));
  const counted = ['done', 'partly', 'not yet'].map((state) =>
    String(states.filter((row) => row.state.startsWith(state)).length),
  );
  if (said === counted.join(', ')) return [];
  const message = `the rows of E are ${counted.join(', ')} (done, partly, not yet), and the page says ${said}`;
  return [{ rule: 'counts', path: specReadme, message }];
}

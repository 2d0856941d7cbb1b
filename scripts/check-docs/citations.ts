/**
 * What comments, titles of tests and pages cite leads somewhere: `spec C.1 row 14` and `spec A.0, *Limits*` to a page of
 * docs/spec, `contract, *Topics*` to a section of docs/contract.md.
 */
import type { Fault } from './fault.ts';
import { rowsNamedIn } from './row-lists.ts';
import type { Spec } from './spec-pages.ts';

const SECTION = /\b[Ss]pec ([A-Z](?:\.\d+)?)\b(?:, \*([^*]+)\*)?/g;
const CONTRACT = /\bcontract, \*([^*]+)\*/g;
/** Documents that are not in the repository, by the names that comments had for them. */
const GONE = new RegExp(['DES', 'IGN\\b(?!\\.md)|spec-', 'rows\\.md'].join(''), 'g');

export interface Cited {
  readonly spec: Spec;
  /** Headings of docs/contract.md, in lower case. */
  readonly contract: ReadonlySet<string>;
}

export function checkCitations(path: string, text: string, { spec, contract }: Cited): readonly Fault[] {
  const joined = joinComments(text);
  const fault = (cited: string, message: string): Fault => ({
    rule: 'citation',
    path,
    message: `${cited}: ${message}`,
  });
  const faults: Fault[] = [];
  for (const [cited, section = '', part] of joined.matchAll(SECTION)) {
    const parts = spec.sections.get(section);
    if (parts === undefined) faults.push(fault(cited, 'docs/spec has no such section'));
    else if (part !== undefined && !parts.has(part.toLowerCase())) {
      faults.push(fault(cited, `that section of docs/spec has no part *${part}*`));
    }
  }
  for (const named of rowsNamedIn(joined)) {
    const [section = '', name = ''] = named.split('/');
    if (spec.rows.some((row) => row.section === section && row.name === name)) continue;
    faults.push(fault(`${section} row ${name}`, 'docs/spec has no such row'));
  }
  for (const [cited, part = ''] of joined.matchAll(CONTRACT)) {
    if (!contract.has(part.toLowerCase())) faults.push(fault(cited, 'docs/contract.md has no such section'));
  }
  for (const [cited] of joined.matchAll(GONE)) {
    faults.push(fault(cited, 'is not in the repository; cite docs/contract.md or docs/spec'));
  }
  return faults;
}

/** A citation may go on in the next line of a comment. */
function joinComments(text: string): string {
  return text.replace(/\s*\n\s*(?:\*(?!\/)|\/\/|--|#)?[ \t]*/g, ' ');
}

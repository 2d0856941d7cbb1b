/** The names of reader-functions.txt: which functions the read-only account may call. Names are compared without case. */
import { readFileSync } from 'node:fs';

export interface ReaderFunctions {
  /** As written: functions, aggregates, table functions. */
  readonly allowed: readonly string[];
  readonly refused: readonly string[];
  /** Whether it is on the list, or an aggregate of the list with suffixes such as -If. */
  mayCall(name: string): boolean;
  /** Of a refused one what those of its section do, to follow "those that"; undefined for a name that is on no list. */
  whyRefused(name: string): string | undefined;
}

/** Suffixes that make another aggregate of one (system.aggregate_function_combinators). */
const COMBINATOR =
  /(?:SimpleState|OrDefault|Distinct|Resample|ForEach|ArgMax|ArgMin|OrNull|Tuple|Merge|State|Array|Null|Map|If)$/;
const SUFFIXES_MAX = 8;

export function readReaderFunctions(): ReaderFunctions {
  const allowed: string[] = [];
  const refused: string[] = [];
  const no = new Map<string, string>();
  const aggregates = new Set<string>();
  let section = '';
  for (const line of readFileSync(new URL('./reader-functions.txt', import.meta.url), 'utf8').split('\n')) {
    const header = /^\[(.*)\]$/.exec(line)?.[1];
    if (header !== undefined) section = header;
    if (header !== undefined || line === '' || line.startsWith('#')) continue;
    const names = line.split(' ');
    (section.startsWith('allowed') ? allowed : refused).push(...names);
    if (section.startsWith('refused: '))
      names.forEach((name) => no.set(name.toLowerCase(), section.slice('refused: '.length)));
    if (section === 'allowed: aggregates') names.forEach((name) => aggregates.add(name.toLowerCase()));
  }
  const listed = new Set(allowed.map((name) => name.toLowerCase()));
  return {
    allowed,
    refused,
    mayCall(name) {
      if (no.has(name.toLowerCase())) return false;
      if (listed.has(name.toLowerCase())) return true;
      let base = name;
      for (let i = 0; i < SUFFIXES_MAX && COMBINATOR.test(base); i++) {
        base = base.replace(COMBINATOR, '');
        if (aggregates.has(base.toLowerCase())) return true;
      }
      return false;
    },
    whyRefused: (name) => no.get(name.toLowerCase()),
  };
}

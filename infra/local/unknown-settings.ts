/** Variables that look like settings of ours and are none: a name that is misspelt does nothing, and nobody would know. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nearestName } from '../../services/runtime/nearest-name.ts';

/** Names of ours begin so; others of CLICKHOUSE_ or KAFKA_ may be meant for other programs. */
const OURS = /^HINDSIGHT_/;
/** Given by one of our processes to another. */
const INTERNAL = new Set(['HINDSIGHT_PARENT_PID']);

/** @returns a sentence for each, with the name that may have been meant. */
export function unknownSettings(root: string, env: Readonly<Record<string, string | undefined>>): string[] {
  const known = knownSettings(root);
  return Object.keys(env)
    .filter((name) => OURS.test(name) && !INTERNAL.has(name) && !known.includes(name))
    .sort()
    .map((name) => {
      const near = nearestName(name, known);
      const meant = near === undefined ? 'see .env.example' : `did you mean ${near}?`;
      return `${name} is no setting and does nothing: ${meant}`;
    });
}

/** A test holds the file against what the code reads. */
function knownSettings(root: string): string[] {
  const text = readFileSync(join(root, '.env.example'), 'utf8');
  return [...text.matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name ?? '');
}

/**
 * Writes docs/errors.md, and the codes in docs/operate.md, from the tables of codes; with --check, fails when a file is not
 * what it would write.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { exit } from 'node:process';
import { correctionCodes } from '../schemas/correction-codes.ts';
import { errorGroups } from '../schemas/errors.ts';
import type { Aftermath, ErrorEntry } from '../schemas/errors/entry.ts';
import { faultCodes } from '../schemas/http/fault-codes.ts';
import { reasons } from '../schemas/reasons.ts';
import { skipReasons } from '../schemas/skip-reasons.ts';

const TARGET = 'docs/errors.md';

const follows: Readonly<Record<Aftermath, string>> = {
  again: 'it tries again by itself',
  rebuilt: 'its state is set aside and made anew by itself',
  restarts: 'the task starts again, twelve times; then its process ends',
  stands: '**the task stands still** and waits for you',
  record: 'this record or call alone is refused',
  ends: 'what was started ends',
};

function rowOf([code, { means, todo, status, ...entry }]: readonly [string, ErrorEntry]): string {
  const what =
    entry.ofRecord === true ? `${follows.record}; else ${follows[entry.follows]}` : follows[entry.follows];
  return `| \`${code}\` | ${means} | ${what}${status === undefined ? '' : ` (${String(status)})`} | ${todo} |`;
}

function groupOf([title, entries]: readonly [string, Readonly<Record<string, ErrorEntry>>]): string {
  return `### ${title.replace(/\.$/, '')}

| code | what it means | what follows | what you can do |
|---|---|---|---|
${Object.entries(entries)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(rowOf)
  .join('\n')}
`;
}

function listOf(codes: Readonly<Record<string, string>>): string {
  return Object.entries(codes)
    .map(([code, means]) => `| \`${code}\` | ${means} |`)
    .join('\n');
}

const text = `<!-- Made from schemas/errors, schemas/http/fault-codes.ts, schemas/reasons.ts, schemas/correction-codes.ts and schemas/skip-reasons.ts by \`npm run generate\`. Do not edit. -->

# Errors, faults and reasons

Four lists of codes. A log line has the code of an error in \`code\`, and often a \`hint\` that knows more than this page. A number in brackets is the HTTP status where a caller meets it; a 503 has \`Retry-After\`.

- [Errors](#errors): what a process meets. Start here when something stands still.
- [Faults](#faults-of-a-request): what is wrong with a request to our own routes.
- [Reasons](#reasons-in-dropped-and-in-activities): why something was refused, left out or corrected: \`SELECT reason, detail FROM dropped\`.
- [Reasons of journeys](#reasons-in-journey_skips): why somebody did not enter one.

## Errors

${Object.entries(errorGroups).map(groupOf).join('\n')}
## Faults of a request

\`{"errors": [{"pointer": "/when/within", "code": "invalid_duration", "message": "…"}]}\`: every fault at once, each with its place.

| code | what it means |
|---|---|
${listOf(faultCodes)}

## Reasons in \`dropped\` and in activities

| reason | what it means |
|---|---|
${listOf(reasons)}

### Why a part was \`corrected\`

\`why\` of each of \`detail.corrections\`, beside \`field\`, what was \`sent\` and what is \`kept\`.

| why | what it means |
|---|---|
${listOf(correctionCodes)}

## Reasons in \`journey_skips\`

Why a trigger of a running journey led to no entry: \`reason\` of \`journey_skips\`, and \`skipped\` of a replay.

| reason | what it means |
|---|---|
${listOf(skipReasons)}
`;
/** What waits for a person, within the page for operators. */
const OPERATE = 'docs/operate.md';
const [START, END] = ['<!-- codes -->', '<!-- /codes -->'];
const waiting = Object.values(errorGroups)
  .flatMap((entries): (readonly [string, ErrorEntry])[] => Object.entries(entries))
  .filter(([, { follows: then }]) => then === 'stands')
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([code, { means, todo }]) => `| \`${code}\` | ${means} | ${todo} |`)
  .join('\n');
const page = readFileSync(OPERATE, 'utf8');
const operate = `${page.slice(0, page.indexOf(START))}${START}

| code | what it means | what you can do |
|---|---|---|
${waiting}

${page.slice(page.indexOf(END))}`;

for (const [file, wanted] of [
  [TARGET, text],
  [OPERATE, operate],
] as const) {
  if (!process.argv.includes('--check')) writeFileSync(file, wanted);
  else if (readFileSync(file, 'utf8') !== wanted) {
    console.error(`${file} is not what the tables of codes say: run npm run generate`);
    exit(1);
  }
}

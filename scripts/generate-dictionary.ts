/** Writes docs/data-dictionary.md from services/sink/schema/dictionary; with --check, fails when the page is another. */
import { readFileSync, writeFileSync } from 'node:fs';
import { exit } from 'node:process';
import type { ViewEntry } from '../services/sink/schema/dictionary/entry.ts';
import { analystViews } from '../services/sink/schema/dictionary/views.ts';

const TARGET = 'docs/data-dictionary.md';

const titleOf = ({ name, argument }: ViewEntry): string =>
  argument === undefined ? name : `${name}(${argument} = …)`;
const anchorOf = (view: ViewEntry): string =>
  titleOf(view)
    .toLowerCase()
    .replaceAll(' ', '-')
    .replaceAll(/[^a-z0-9_-]/g, '');

function sectionOf(view: ViewEntry): string {
  const kept = view.isContract
    ? ''
    : '\n\nNot of the [contract](contract.md#tables-and-views): it may change.';
  return `### ${titleOf(view)}

${view.comment}${kept}

| column | type | what it holds |
|---|---|---|
${view.columns.map(([name, type, comment]) => `| \`${name}\` | \`${type}\` | ${comment.replaceAll('|', '\\|')} |`).join('\n')}
`;
}

const text = `<!-- Made from services/sink/schema/dictionary by \`npm run generate\`. Do not edit. -->

# Data dictionary

What analysts may read, in database \`hindsight\`. The same sentences are on the tables: \`DESCRIBE TABLE events\` explains each column, and so does the side bar of most tools. Questions with their SQL are in the [cookbook](cookbook.md); how these views come about is in [tables and views](tables.md).

Times are in UTC, to the millisecond. What is absent is NULL unless the column says otherwise. An account that only reads sees these views and nothing else; an owner also sees tables named \`stored_…\` and views that they rest on, which are no contract.

| view | a row is |
|---|---|
${analystViews.map((view) => `| [\`${titleOf(view)}\`](#${anchorOf(view)}) | ${view.comment.split(/[.:] /)[0]?.replace(/\.$/, '') ?? ''} |`).join('\n')}

## How to join

- \`workspace\` and \`person_id\` lead from any view to \`people\`, and from there to any other. All of them name the person of today.
- A person's browsers and apps are in \`person_devices\`, a row each; emails and ids in \`identities\`.
- \`cause_message_id\` and \`trigger_message_id\` are the \`message_id\` of \`events\`.
- Do not join \`events\` with itself or with \`identities\` by \`anonymous_id\`: \`events.person_id\` is the answer already, also after a merge or a split.

## How to connect

Address, user and password are in \`clickhouse_reader\` of \`.hindsight/endpoints.json\` ([in one line](cookbook.md#before-the-first-question)). It speaks ClickHouse's HTTP interface; the native protocol (port 9000) is not there.

| tool | how | tried |
|---|---|---|
| curl | [cookbook](cookbook.md#before-the-first-question) | yes, in each test run |
| clickhouse-connect (Python, and what rests on it: pandas, Superset) | [cookbook](cookbook.md#before-the-first-question) | yes: version 1.12.0 with the owner's account |
| @clickhouse/client (Node) | \`createClient({ url, username, password, database })\` | yes, in each test run |
| Grafana, its ClickHouse data source | protocol **HTTP**, the host and port of the address, user and password; default database \`hindsight\` | no |
| Metabase, its ClickHouse driver | host and port of the address, user, password, database \`hindsight\`; no SSL for the embedded engine | no |
| DBeaver and what else speaks JDBC | \`jdbc:clickhouse:http://HOST:PORT/hindsight\` | no |

What these tools may stumble over: this account takes no settings but those of an answer's format, and no SETTINGS clause; a tool that insists on one is refused with code 164 and the name of the setting. On a [server of your own](clickhouse-cluster.md#an-account-that-only-reads) you decide that.

## The views

${analystViews.map(sectionOf).join('\n')}`;
if (!process.argv.includes('--check')) writeFileSync(TARGET, text);
else if (readFileSync(TARGET, 'utf8') !== text) {
  console.error(`${TARGET} is not what the dictionary says: run npm run generate`);
  exit(1);
}

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
- A person's browsers and apps are in \`person_devices\`, a row each; emails and ids in \`identities\`, and those from before a merge in \`person_names\`.
- \`cause_message_id\` and \`trigger_message_id\` are the \`message_id\` of \`events\`.
- Do not join \`events\` with itself or with \`identities\` by \`anonymous_id\`: \`events.person_id\` is the answer already, also after a merge or a split.

## How to connect

Address, user and password are in \`clickhouse_reader\` of \`.hindsight/endpoints.json\` ([in one line](cookbook.md#before-the-first-question)). It speaks ClickHouse's HTTP interface; the native protocol (port 9000) is not there.

| tool | how | tried |
|---|---|---|
| curl | [cookbook](cookbook.md#before-the-first-question) | yes, in each test run |
| clickhouse-connect (Python, and what rests on it: pandas, Superset) | [cookbook](cookbook.md#before-the-first-question) | yes: version 1.12.0; settings as below |
| @clickhouse/client (Node) | \`createClient({ url, username, password, database })\` | yes, in each test run |
| Grafana, its ClickHouse data source | protocol **HTTP**, the host and port of the address, user and password; default database \`hindsight\` | the driver that it rests on: clickhouse-go 2.30.0 over HTTP, plain, LZ4 and gzip. Grafana itself: no |
| Metabase, its ClickHouse driver | host and port of the address, user, password, database \`hindsight\`; no SSL for the embedded engine | the driver that it rests on: clickhouse-jdbc 0.8.4. Metabase itself: no |
| DBeaver and what else speaks JDBC | \`jdbc:clickhouse:http://HOST:PORT/hindsight\` | clickhouse-jdbc 0.8.4: connect, lists of tables and columns, queries with parameters, \`LIMIT 0\`, timeouts, errors. DBeaver itself: no |

What these tools may stumble over, with the embedded engine:

- A question has 60 s, and other shares ([which](decisions/embedded-reader.md)). A tool that asks for more, such as a timeout of 1,200 s, gets the share and no error.
- Settings that change no answer (\`async_insert\`, timeouts of a connection), or that say what is so already, are taken. Others than those of an answer's format are refused with code 164 and the name of the setting, and so is a SETTINGS clause.
- clickhouse-connect refuses \`settings=\` by itself, since \`system.settings\` says that this account may change none. \`clickhouse_connect.common.set_setting('invalid_setting_action', 'send')\` before the client is made lets them through to the engine.
- \`person_events\` takes a parameter, so side bars show it without columns and a click on it fails with code 51. Ask \`SELECT … FROM person_events(person = 'cio_…')\`.
- clickhouse-jdbc 0.8.4 cannot tell the product's version, sets no read-only mode and has no indexes to list: its own gaps. \`setMaxRows\` cuts at a whole block, as on a server.

On a [server of your own](clickhouse-cluster.md#an-account-that-only-reads) its profile decides all of this.

## The views

${analystViews.map(sectionOf).join('\n')}`;
if (!process.argv.includes('--check')) writeFileSync(TARGET, text);
else if (readFileSync(TARGET, 'utf8') !== text) {
  console.error(`${TARGET} is not what the dictionary says: run npm run generate`);
  exit(1);
}

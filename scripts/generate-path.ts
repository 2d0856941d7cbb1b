/** Writes services/README.md from schemas/topics.ts; with --check, fails when the file is not what it would write. */
import { readFileSync, writeFileSync } from 'node:fs';
import { exit } from 'node:process';
import { topicIds, topics, type TopicDeclaration } from '../schemas/topics.ts';

const TARGET = 'services/README.md';
const DAY_MS = 86_400_000;

/** In the order of a record's way. */
const rooms: readonly (readonly [room: string, what: string])[] = [
  [
    'gateway',
    'the HTTP port; it mounts `ingest` (Track, Pipelines), `on-site` (messages) and `app` (our own API)',
  ],
  ['merger', 'lanes: what waits, what is claimed, what is released'],
  ['identity', 'who is whom: one writer per workspace'],
  ['trigger', "segments and journeys on each person's stream, in the language of `rules`"],
  ['in-app', 'on-site messages: what each visitor may be shown, and why not'],
  ['sink', 'every topic that has a table, into ClickHouse, each row once'],
];

function keptOf({ kept }: TopicDeclaration): string {
  if (kept === 'forever') return 'for ever';
  return kept === 'compacted' ? 'compacted' : `${String(kept.retentionMs / DAY_MS)} days`;
}

function rowOf(topic: TopicDeclaration): string {
  const name = topic.public ? `**\`${topic.name}\`**` : `\`${topic.name}\``;
  const cells = [name, topic.key, topic.writers.join(', '), topic.readers.join(', '), keptOf(topic)];
  return `| ${cells.join(' | ')} |`;
}

const text = `<!-- Made from schemas/topics.ts by \`npm run generate\`. Do not edit. -->

# The services

A record goes from the top to the bottom. Each room is a process of that name, started alone with \`npm run service -- NAME\`. Rooms talk through topics and never import each other.

| room | does |
|---|---|
${rooms.map(([room, what]) => `| [\`${room}\`](${room}) | ${what} |`).join('\n')}

Beside them: \`runtime\` is the shell that all run in, \`rules\` the language of conditions, \`testing\` the workshop, where every fake and rig stands.

## The topics between them

Names in bold are read by people outside the product: their fields are a [contract](../docs/contract.md#topics).

| topic | key | written by | read by | kept |
|---|---|---|---|---|
${topicIds.map((id) => rowOf(topics[id])).join('\n')}
`;
if (!process.argv.includes('--check')) writeFileSync(TARGET, text);
else if (readFileSync(TARGET, 'utf8') !== text) {
  console.error(`${TARGET} is not what schemas/topics.ts says: run npm run generate`);
  exit(1);
}

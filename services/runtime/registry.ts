/** Registers the product's schemas and hands out codecs. The only importer of the registry's client. */
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { setTimeout as sleep } from 'node:timers/promises';
import { Codec, schemaText, type Codecs, type RecordName } from '../../schemas/codec.ts';
import { topicIds, topics, type TopicId } from '../../schemas/topics.ts';
import { CodedError } from './errors.ts';

export interface RegistryOptions {
  /** Base of the Confluent API, to which /schemas/ids/1 is added. */
  readonly url: string;
}

/**
 * Registers every topic's schema under `<topic>-value` with compatibility BACKWARD, which the registry then enforces.
 * Idempotent: the same schema gets the same id. Throws when the registry refuses a schema as incompatible.
 */
export async function registerSchemas({ url }: RegistryOptions): Promise<Codecs> {
  return await codecsOf(connect(url), new Map());
}

/**
 * The same for a process that starts again: what is registered is only looked up, all of it at once, which takes a
 * quarter of the time; what is missing is registered.
 */
export async function findSchemas({ url }: RegistryOptions): Promise<Codecs> {
  const registry = connect(url);
  const known = new Map<TopicId, number>();
  await Promise.all(
    topicIds.map(async (topicId) => {
      const id = await find(registry, topicId);
      if (id !== undefined) known.set(topicId, id);
    }),
  );
  return await codecsOf(registry, known);
}

/** Nothing asks it while all schemas are known, so that it is gone is noticed here or at the next start. */
export async function registryAnswers({
  url,
  msMax,
}: RegistryOptions & { readonly msMax: number }): Promise<void> {
  const answer = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(msMax) }).catch(
    (cause: unknown) => {
      throw new CodedError('part_unreachable', `the schema registry does not answer at ${url}`, {
        cause,
      });
    },
  );
  await answer.body?.cancel();
  if (answer.ok) return;
  throw new CodedError('part_unreachable', `the schema registry answers ${String(answer.status)}`);
}

async function codecsOf(registry: SchemaRegistry, known: ReadonlyMap<TopicId, number>): Promise<Codecs> {
  const ids = new Map<RecordName, number>();
  for (const topicId of topicIds) {
    const record = recordOf(topicId);
    const id = known.get(topicId) ?? (await register(registry, record, subjectOf(topicId)));
    const other = ids.get(record);
    if (other !== undefined && other !== id) {
      throw new Error(
        `could not register ${record}: the registry gave one schema two ids (${String(other)}, ${String(id)})`,
      );
    }
    ids.set(record, id);
  }
  const codecs = Object.fromEntries([...ids].map(([record, id]) => [record, new Codec(record, id)]));
  return codecs as unknown as Codecs; // every record of Codecs is some topic's, which schemas/topics.test.ts checks
}

/** Undefined when the registry does not have this schema under the topic's subject. */
async function find(registry: SchemaRegistry, topicId: TopicId): Promise<number | undefined> {
  try {
    const schema = { type: SchemaType.AVRO, schema: schemaText(recordOf(topicId)) } as const;
    return await registry.getRegistryIdBySchema(subjectOf(topicId), schema);
  } catch {
    return undefined; // then registering it says what is wrong, if anything is
  }
}

function recordOf(topicId: TopicId): RecordName {
  return topics[topicId].record as RecordName; // checked by schemas/topics.test.ts
}
function subjectOf(topicId: TopicId): string {
  return `${topics[topicId].name}-value`;
}

const ATTEMPTS_MAX = 5;
const PAUSE_MS = 200;

/**
 * The client reads the subject's level, sends the schema, then sets the level. A second process that registers in
 * between reads NONE, or sets a rule that is there by then; once the first is through, its own attempt succeeds.
 */
async function register(registry: SchemaRegistry, record: RecordName, subject: string): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const schema = { type: SchemaType.AVRO, schema: schemaText(record) } as const;
      const { id } = await registry.register(schema, { subject, compatibility: COMPATIBILITY.BACKWARD });
      return id;
    } catch (error) {
      const raced = /already exists|!= NONE/.test(String(error));
      if (!raced || attempt === ATTEMPTS_MAX) throw error;
      await sleep(PAUSE_MS * attempt);
    }
  }
}

/**
 * Teaches every codec the schema under which a value was written, so that decoding it can be tried again.
 * @throws CodedError `schema_not_ours` when the registry does not know the schema, or it describes no record of ours;
 * anything else when the registry cannot be asked.
 */
export async function learnSchema({ url }: RegistryOptions, codecs: Codecs, schemaId: number): Promise<void> {
  const schema = await getSchema(url, schemaId);
  if (schema === undefined) throw notOurs(schemaId, 'the registry has no such schema');
  const text = JSON.stringify(schema);
  const name = (JSON.parse(text) as { name?: string }).name?.replace('hindsight.', '');
  const codec = Object.values(codecs).find((candidate) => candidate.record === name);
  if (codec === undefined) throw notOurs(schemaId, `it describes ${String(name)}, which is none of ours`);
  codec.learn(schemaId, text);
}

function notOurs(schemaId: number, why: string): CodedError {
  return new CodedError('schema_not_ours', `could not read schema ${String(schemaId)}: ${why}`);
}

const NOT_FOUND = 404;

async function getSchema(url: string, schemaId: number): Promise<unknown> {
  try {
    return await connect(url).getSchema(schemaId);
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === NOT_FOUND) return undefined;
    throw error;
  }
}

function connect(url: string): SchemaRegistry {
  return new SchemaRegistry({ host: url, clientId: 'hindsight' });
}

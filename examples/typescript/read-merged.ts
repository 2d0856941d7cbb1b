/** Follows events.merged with kafkajs and the schema registry. See ../README.md. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { repairKafkajs } from './repair-kafkajs.ts';

repairKafkajs();
const { Kafka, logLevel } = await import('kafkajs');
const { SchemaRegistry } = await import('@kafkajs/confluent-schema-registry');

/** The part of the record that this reader uses. Fields that it does not know do not disturb it. */
interface MergedRecord {
  readonly kind: string;
  readonly person_id: string;
  readonly previously_anonymous: boolean;
  readonly event: {
    readonly message_id: string;
    readonly type: string;
    readonly name: string | null;
    readonly properties: string | null;
  } | null;
}

const {
  KAFKA_BROKERS = '127.0.0.1:9092',
  SCHEMA_REGISTRY_URL = 'http://127.0.0.1:8081',
  READ_GROUP,
  READ_TOPIC,
  READ_COUNT,
} = process.env;
const countMax = READ_COUNT === undefined ? Infinity : Number(READ_COUNT);

const kafka = new Kafka({ brokers: KAFKA_BROKERS.split(','), clientId: 'example', logLevel: logLevel.ERROR });
const registry = new SchemaRegistry({ host: SCHEMA_REGISTRY_URL });
const consumer = kafka.consumer({ groupId: READ_GROUP ?? 'example-typescript', readUncommitted: false });
const done = new AbortController();
let count = 0;

await consumer.connect();
await consumer.subscribe({ topic: READ_TOPIC ?? 'events.merged', fromBeginning: true });
await consumer.run({
  eachMessage: async ({ message, partition }) => {
    if (message.value === null || count >= countMax) return;
    const record = (await registry.decode(message.value)) as MergedRecord; // what the registry's schema says
    if (record.kind !== 'event' || record.event === null) return;
    const { person_id, previously_anonymous, event } = record;
    const { message_id, type, name, properties } = event;
    const line = {
      partition,
      offset: message.offset,
      person_id,
      message_id,
      type,
      name,
      previously_anonymous,
      properties: JSON.parse(properties ?? '{}') as unknown,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    count += 1;
    if (count >= countMax) done.abort();
  },
});

process.once('SIGINT', () => {
  done.abort();
});
if (!done.signal.aborted) await once(done.signal, 'abort');
await sleep(100); // lets the consumer commit what it has handled
await consumer.disconnect();

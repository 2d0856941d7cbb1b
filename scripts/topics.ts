/** Creates the topics of schemas/topics.ts on KAFKA_BROKERS; what is there already is compared. `npm start` does it, too. */
import { env } from 'node:process';
import { copiesFields, readConfig, sharedFields } from '../services/runtime/config.ts';
import { createTopics } from '../services/runtime/log/create-topics.ts';

const { brokers, prefix, partitions } = sharedFields;
const { replicas, minInSync, ...topics } = readConfig(env, { brokers, prefix, partitions, ...copiesFields });
const created = await createTopics({ ...topics, copies: { replicas, minInSync } });
console.log(created.length === 0 ? 'every topic was there' : `created ${created.join(', ')}`);

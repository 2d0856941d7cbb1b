/**
 * The shops' tables, kept up with beside the tasks: texts are filled in for a poll, and what a poll is answered decides
 * nothing, so rows need no place among the events.
 */
import { FollowedTopic } from '../runtime/log/followed-topic.ts';
import { openLog } from '../runtime/log/open-log.ts';
import { createLogger } from '../runtime/logger.ts';
import { findSchemas, learnSchema } from '../runtime/registry.ts';
import { Tables } from '../runtime/tables.ts';

export interface FollowedTables {
  readonly tables: Tables;
  close(): Promise<void>;
}

/** Resolves when every row is there that was at the call. */
export async function followTables({
  brokers,
  prefix,
  registryUrl: url,
}: {
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly registryUrl: string;
}): Promise<FollowedTables> {
  const [codecs, log] = await Promise.all([
    findSchemas({ url }),
    openLog({ brokers, clientId: 'hindsight-in-app-tables', prefix }),
  ]);
  const tables = new Tables();
  const [end = 0] = await log.admin.endOffsets('tablesChanged');
  let isThere: () => void = () => undefined;
  const read = new Promise<void>((resolve) => (isThere = resolve));
  const followed: FollowedTopic = new FollowedTopic({
    log,
    logger: createLogger('in-app'),
    learnSchema: (schemaId) => learnSchema({ url }, codecs, schemaId),
    topic: 'tablesChanged',
    what: 'tables',
    apply: ({ bytes, valueStart, valueEnd }) => {
      tables.apply(codecs.TableRow.decode(bytes, valueStart, valueEnd));
    },
    onTaken: () => {
      if (followed.offset(0) >= end) isThere();
    },
  });
  await followed.open([0]);
  if (end > 0) await read;
  return {
    tables,
    close: async () => {
      await followed.close();
      await log.close();
    },
  };
}

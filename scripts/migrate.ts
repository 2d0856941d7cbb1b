/** Brings the ClickHouse database to this program's schema. `npm start` does it, too. */
import { env } from 'node:process';
import { migrate } from '../services/sink/schema/migrate.ts';
import { clickHouseField } from '../services/runtime/clickhouse-settings.ts';
import { readConfig } from '../services/runtime/config.ts';

const { applied } = await migrate(readConfig(env, { clickhouse: clickHouseField() }).clickhouse);
console.log(applied.length === 0 ? 'no migration was missing' : `applied ${applied.join(', ')}`);

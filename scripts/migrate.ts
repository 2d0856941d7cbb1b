/** Brings the ClickHouse database to this program's schema. `npm start` does it, too. */
import { env } from 'node:process';
import { migrate } from '../infra/clickhouse/migrate.ts';
import { readConfig, textField, urlField } from '../services/runtime/config.ts';

const { applied } = await migrate(
  readConfig(env, {
    url: urlField('CLICKHOUSE_URL'),
    username: textField('CLICKHOUSE_USER', 'default'),
    password: textField('CLICKHOUSE_PASSWORD', ''),
    database: textField('CLICKHOUSE_DATABASE', 'hindsight'),
  }),
);
console.log(applied.length === 0 ? 'no migration was missing' : `applied ${applied.join(', ')}`);

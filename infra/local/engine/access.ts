/**
 * Roles of the engine's own access control. All connections are one user's; a read-only account's connection goes on
 * as role `reader` before it runs anything, and the engine then refuses what that role was not granted: writes, DDL,
 * other databases, and table functions that read files or the network.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { quoteIdentifier } from './quote.ts';

export const READER_ROLE = 'reader';
export interface Readable {
  /** Names, or their start and a star (`shop_*`). */
  readonly databases: readonly string[];
  /** Of each of them; absent: all. A view that has a definer may be read without what it rests on. */
  readonly tables?: readonly string[];
}

/** The start of several names, with a star. */
const PREFIX = /^\w+\*$/;

/**
 * Writes the engine's configuration anew and returns the arguments of its connections. Nothing in it is secret.
 * @param readable what the reader may see.
 */
export function accessArguments(dataFolder: string, readable: Readable): string[] {
  const folder = join(resolve(dataFolder), 'access');
  const userFiles = join(folder, 'user-files');
  mkdirSync(userFiles, { recursive: true, mode: 0o700 });
  const tables = readable.tables?.map((table) => xml(quoteIdentifier(table))) ?? ['*'];
  const grants = readable.databases.flatMap((name) => {
    const pattern = xml(PREFIX.test(name) ? name : quoteIdentifier(name));
    return tables.map((table) => `<query>GRANT SELECT, SHOW ON ${pattern}.${table}</query>`);
  });
  const users = `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <roles>
    <owner><grants><query>GRANT ALL ON *.* WITH GRANT OPTION</query></grants></owner>
    <${READER_ROLE}><grants>${grants.join('')}</grants></${READER_ROLE}>
  </roles>
  <users><default>
    <password></password><profile>default</profile><quota>default</quota><networks><ip>::/0</ip></networks>
    <grants><query>GRANT owner</query><query>GRANT ${READER_ROLE}</query></grants>
  </default></users>
</clickhouse>
`;
  const usersFile = join(folder, 'users.xml');
  const configFile = join(folder, 'config.xml');
  writeFileSync(usersFile, users, { mode: 0o600 });
  const config = `<clickhouse><users_config>${xml(usersFile)}</users_config><user_files_path>${xml(userFiles)}/</user_files_path></clickhouse>\n`;
  writeFileSync(configFile, config, { mode: 0o600 });
  return [`--config-file=${configFile}`];
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** What a connection is told before a request's statement: role, database, settings, parameters. */
import { READER_ROLE } from './access.ts';
import type { Account } from './accounts.ts';
import { EngineException } from './exception.ts';
import { limits } from './limits.ts';
import { quoteIdentifier, quoteString } from './quote.ts';
import type { ReadOnlyGuard } from './read-only.ts';
import { readerSetting, READER_SETTINGS } from './reader-settings.ts';
import type { EngineRequest } from './request.ts';

/** What decides with which settings a statement runs. */
export interface Asked {
  readonly account: Account;
  readonly request: EngineRequest;
  readonly guard: ReadOnlyGuard;
  /** Values of the engine's settings, by name. */
  readonly defaults: ReadonlyMap<string, string>;
}

/**
 * From these statements on a connection can do what the reader's role was granted, within the reader's limits.
 * @param tag quoted; log_comment is how KILL QUERY finds the query: the engine makes its own query ids.
 */
export function becomeReader(tag: string): string[] {
  return [`SET ROLE ${READER_ROLE}`, `SET ${[`log_comment = ${tag}`, ...READER_SETTINGS].join(', ')}`];
}

/**
 * Statements for database, settings and parameters of the request.
 * @throws EngineException for a setting that may not be given.
 */
export function preparation(
  { request, account, guard, defaults }: Asked,
  { streamed, tag }: { readonly streamed: boolean; readonly tag: string },
): string[] {
  const statements = request.database === undefined ? [] : [`USE ${quoteIdentifier(request.database)}`];
  const settings = [];
  if (!streamed) settings.push(`max_result_bytes = ${String(limits.resultBytesMax)}`);
  for (const [name, value] of request.settings) {
    if (!/^\w+$/.test(name)) throw new EngineException(115, 'UNKNOWN_SETTING', `Unknown setting '${name}'`);
    if (account.readOnly) {
      const shared = readerSetting(name, value, defaults);
      if (shared === undefined) guard.setting(name);
      else if (shared !== 'left out') settings.push(`${name} = ${quoteString(shared.value)}`);
      if (shared !== undefined || name === 'readonly' || name === 'log_comment') continue;
    }
    settings.push(`${name} = ${quoteString(value)}`);
  }
  for (const [name, value] of request.parameters) {
    if (!/^param_\w+$/.test(name))
      throw new EngineException(36, 'BAD_ARGUMENTS', `bad parameter name ${name}`);
    settings.push(`${name} = ${quoteString(value)}`); // stays in its escaped form; the engine unescapes it when it substitutes
  }
  statements.push(`SET ${[...settings, `log_comment = ${tag}`].join(', ')}`);
  if (account.readOnly) statements.push('SET readonly = 1'); // last: after it no setting can be changed, and it cannot be lifted
  return statements;
}

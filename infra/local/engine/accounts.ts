/** Who may ask: an account that may do anything, and one that may only read. The engine has no accounts of its own. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { EngineException } from './exception.ts';

export interface Account {
  readonly name: string;
  readonly password: string;
  readonly readOnly: boolean;
}

/** The account of a request: from query parameters, ClickHouse's headers or Basic, in that order. Throws code 516. */
export function accountOf(
  request: IncomingMessage,
  query: URLSearchParams,
  accounts: readonly Account[],
): Account {
  const { name, password } = credentialsOf(request, query);
  let found: Account | undefined;
  for (const account of accounts) {
    // Both are compared in full and in constant time, so that an answer's time tells nothing.
    if (equal(account.name, name) && equal(account.password, password)) found = account;
  }
  if (found === undefined) {
    const text = `${name}: Authentication failed: password is incorrect, or there is no user with such name`;
    throw new EngineException(516, 'AUTHENTICATION_FAILED', text);
  }
  return found;
}

function credentialsOf(request: IncomingMessage, query: URLSearchParams): { name: string; password: string } {
  if (query.has('user') || query.has('password')) {
    return { name: query.get('user') ?? 'default', password: query.get('password') ?? '' };
  }
  const user = request.headers['x-clickhouse-user'];
  const key = request.headers['x-clickhouse-key'];
  if (user !== undefined || key !== undefined) {
    return { name: String(user ?? 'default'), password: String(key ?? '') };
  }
  const basic = /^Basic\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (basic === undefined) return { name: 'default', password: '' };
  const decoded = Buffer.from(basic, 'base64').toString();
  const colon = decoded.indexOf(':');
  return colon < 0
    ? { name: decoded, password: '' }
    : { name: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

function equal(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

/** A ClickHouse of one's own, named by a URL with user and password in it. */
import { expect, test } from '@jest/globals';
import { checkGivenParts } from './given-parts.ts';
import { readLauncherSettings } from './launcher-settings.ts';

const engine = new URL(process.env['TEST_CLICKHOUSE_URL'] ?? 'http://unset');
const account = {
  user: process.env['TEST_CLICKHOUSE_USER'] ?? '',
  password: process.env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
};

function check(user: string, password: string): Promise<void> {
  const url = new URL(engine);
  url.username = user;
  url.password = password;
  return checkGivenParts(readLauncherSettings({ CLICKHOUSE_URL: url.href, HINDSIGHT_PORT: '0' }));
}

test('credentials in CLICKHOUSE_URL are used', async () => {
  await expect(check(account.user, account.password)).resolves.toBeUndefined();
});

test('wrong ones are refused, and not shown', async () => {
  const refusal = check(account.user, 'not-the-password');
  await expect(refusal).rejects.toMatchObject({ code: 'part_refused' });
  await expect(refusal).rejects.not.toThrow(/not-the-password/);
});

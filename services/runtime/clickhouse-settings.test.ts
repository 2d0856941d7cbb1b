import { describe, expect, test } from '@jest/globals';
import { clickHouseField, optionalClickHouseField } from './clickhouse-settings.ts';
import { readConfig, type Env } from './config.ts';

const read = (env: Env) => readConfig(env, { clickhouse: clickHouseField() }).clickhouse;

function faultOf(env: Env): string {
  try {
    read(env);
    return '';
  } catch (error) {
    return String(error);
  }
}

describe('credentials', () => {
  test('of the URL are used, and the URL is kept without them', () => {
    expect(read({ CLICKHOUSE_URL: 'http://ann:p%40ss%2F@ch:8123/' })).toMatchObject({
      url: 'http://ch:8123',
      username: 'ann',
      password: 'p@ss/',
    });
  });
  test('of CLICKHOUSE_USER and CLICKHOUSE_PASSWORD win, each by itself', () => {
    const CLICKHOUSE_URL = 'https://ann:secret@ch';
    expect(read({ CLICKHOUSE_URL, CLICKHOUSE_USER: 'bob' })).toMatchObject({
      username: 'bob',
      password: 'secret',
    });
    expect(read({ CLICKHOUSE_URL, CLICKHOUSE_PASSWORD: 'other' })).toMatchObject({
      username: 'ann',
      password: 'other',
    });
  });
  test('without any: the account of a fresh server', () => {
    expect(read({ CLICKHOUSE_URL: 'http://ch:8123' })).toMatchObject({ username: 'default', password: '' });
  });
  test('are in no message', () => {
    expect(() => read({ CLICKHOUSE_URL: 'ch:secret@host:99999' })).toThrow(/must be an http or https URL/);
    for (const url of ['http://a:secret@ch:x', 'ch:secret@host', 'http://a:secret@']) {
      const fault = faultOf({ CLICKHOUSE_URL: url });
      expect(fault).toContain('CLICKHOUSE_URL');
      expect(fault).not.toContain('secret');
    }
  });
});

describe('the layout', () => {
  const CLICKHOUSE_URL = 'http://ch:8123';
  test('is one server unless it is said', () => {
    expect(read({ CLICKHOUSE_URL })).toMatchObject({ layout: { type: 'single' }, shardUrls: [] });
  });
  test('of a cluster has its name, and one URL a shard when it is sharded', () => {
    expect(
      read({ CLICKHOUSE_URL, CLICKHOUSE_LAYOUT: 'replicated', CLICKHOUSE_CLUSTER: 'main' }).layout,
    ).toEqual({
      type: 'replicated',
      cluster: 'main',
    });
    const sharded = { CLICKHOUSE_URL, CLICKHOUSE_SHARDS: 'http://a:8123, http://b:8123/' };
    expect(read({ ...sharded, CLICKHOUSE_LAYOUT: 'sharded' })).toMatchObject({
      layout: { type: 'sharded', cluster: 'hindsight', replicated: false },
      shardUrls: ['http://a:8123', 'http://b:8123'],
    });
    expect(read({ ...sharded, CLICKHOUSE_LAYOUT: 'sharded_replicated' }).layout).toMatchObject({
      replicated: true,
    });
  });
  test.each([
    [{ CLICKHOUSE_LAYOUT: 'two' }, /must be one of single, replicated/],
    [{ CLICKHOUSE_LAYOUT: 'sharded' }, /must name the shards/],
    [{ CLICKHOUSE_SHARDS: 'http://a' }, /is for CLICKHOUSE_LAYOUT=sharded/],
    [{ CLICKHOUSE_LAYOUT: 'sharded', CLICKHOUSE_SHARDS: 'http://a,http://a' }, /names a shard twice/],
    [{ CLICKHOUSE_LAYOUT: 'replicated', CLICKHOUSE_CLUSTER: "a'b" }, /not a name of a cluster/],
    [{ CLICKHOUSE_LAYOUT: 'sharded', CLICKHOUSE_SHARDS: 'b:secret@x' }, /CLICKHOUSE_SHARDS must be an http/],
  ])('is refused with a sentence: %j', (settings, message) => {
    expect(() => read({ CLICKHOUSE_URL, ...settings })).toThrow(message);
  });
  test('is not one of the engine that is started where no URL is set', () => {
    const optional = (env: Env) => readConfig(env, { clickhouse: optionalClickHouseField() }).clickhouse;
    expect(optional({})).toBeUndefined();
    expect(() => optional({ CLICKHOUSE_LAYOUT: 'replicated' })).toThrow(/servers of your own/);
  });
});

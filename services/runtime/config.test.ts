import { describe, expect, test } from '@jest/globals';
import { integerField, readConfig, sharedFields, switchField, textField } from './config.ts';
import { CodedError } from './errors.ts';

const complete = { KAFKA_BROKERS: 'a:9092,b:9093', SCHEMA_REGISTRY_URL: 'http://127.0.0.1:8081/' };

describe('settings', () => {
  test('are read with their defaults', () => {
    const config = readConfig(complete, sharedFields);
    expect(config.brokers).toEqual(['a:9092', 'b:9093']);
    expect(config.registryUrl).toBe('http://127.0.0.1:8081');
    expect(config.partitions).toBe(8);
    expect(config.prefix).toBe('');
    expect(config.testClock).toBe(false);
    expect(config.dataFolder.startsWith('/')).toBe(true);
  });

  test('are refused with every fault named', () => {
    const env = { KAFKA_BROKERS: 'nowhere', HINDSIGHT_PARTITIONS: '0', HINDSIGHT_TEST_CLOCK: 'yes' };
    expect(() => readConfig(env, sharedFields)).toThrow(
      /KAFKA_BROKERS: .*SCHEMA_REGISTRY_URL: is not set; HINDSIGHT_PARTITIONS: .*HINDSIGHT_TEST_CLOCK: /,
    );
    expect(() => readConfig(env, sharedFields)).toThrow(CodedError);
  });

  test('refuse the test clock in production', () => {
    const env = { ...complete, HINDSIGHT_TEST_CLOCK: 'on', NODE_ENV: 'production' };
    expect(() => readConfig(env, sharedFields)).toThrow(/HINDSIGHT_TEST_CLOCK: is refused/);
  });

  test('take an empty variable as absent', () => {
    const fields = {
      name: textField('NAME', 'x'),
      count: integerField('COUNT', { min: 0, max: 9, fallback: 4 }),
      loud: switchField('LOUD'),
    };
    expect(readConfig({ NAME: ' ', COUNT: '', LOUD: 'on' }, fields)).toEqual({
      name: 'x',
      count: 4,
      loud: true,
    });
  });
});

import { expect, test } from '@jest/globals';
import { unknownSettings } from './unknown-settings.ts';

const of = (env: Record<string, string>) => unknownSettings('.', env);

test('a misspelt setting is named, with the one that was meant', () => {
  expect(of({ HINDSIGHT_PROT: '9' })).toEqual([
    'HINDSIGHT_PROT is no setting and does nothing: did you mean HINDSIGHT_PORT?',
  ]);
  expect(of({ HINDSIGHT_SAMPEL: 'off', HINDSIGHT_DATA_FOLDER: 'x' })).toEqual([
    'HINDSIGHT_DATA_FOLDER is no setting and does nothing: see .env.example',
    'HINDSIGHT_SAMPEL is no setting and does nothing: did you mean HINDSIGHT_SAMPLE?',
  ]);
});

test('what is known, internal or not ours is not named', () => {
  expect(of({ HINDSIGHT_PORT: '9', HINDSIGHT_PARENT_PID: '1', KAFKA_OPTS: 'x', PATH: '/bin' })).toEqual([]);
});

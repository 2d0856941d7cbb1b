import { describe, expect, test } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { localCodecs } from './codec.ts';
import { topicIds, topics } from './topics.ts';

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort();

describe('the records of topics', () => {
  test('have a codec each, and each codec is some topic’s', () => {
    expect(sorted(topicIds.map((id) => topics[id].record))).toEqual(sorted(Object.keys(localCodecs())));
  });

  test('are the schemas in schemas/avro, all of them', () => {
    const schemas = readdirSync(new URL('./avro/', import.meta.url)).map((file) => file.replace('.avsc', ''));
    expect(sorted(Object.keys(localCodecs()))).toEqual(sorted(schemas));
  });
});

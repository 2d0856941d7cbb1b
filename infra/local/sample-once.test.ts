import { expect, test } from '@jest/globals';
import { againWith } from './sample-once.ts';

test('the command that plays the sample again names the folder, where it is another than usual', () => {
  expect(againWith('.hindsight')).toBe('npm run sample -- --story');
  expect(againWith("/tmp/it's")).toBe("HINDSIGHT_DATA='/tmp/it'\\''s' npm run sample -- --story");
});

import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Loads the log port in a process of its own, where kafkajs says that it is of another version. */
async function loadWith(version: string): Promise<string> {
  const script = `
    import { createRequire } from 'node:module';
    const load = createRequire(${JSON.stringify(import.meta.url)});
    load('kafkajs/package.json').version = ${JSON.stringify(version)};
    await import(${JSON.stringify(new URL('../open-log.ts', import.meta.url).href)}).then(
      () => console.log('loaded'),
      (error) => console.log(error.message),
    );`;
  const options = ['--input-type=module', '--eval', script];
  const env = { ...process.env, NODE_OPTIONS: '' };
  return (await promisify(execFile)(process.execPath, options, { env })).stdout.trim();
}

test('another version of kafkajs than the one whose internals we use is refused when it is loaded', async () => {
  expect(await loadWith('2.2.4')).toBe('loaded');
  expect(await loadWith('2.2.5')).toBe(
    'assertion failed: kafkajs is 2.2.5; its internals are known for 2.2.4',
  );
});

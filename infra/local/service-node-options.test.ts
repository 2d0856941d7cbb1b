/** Each service is run with options that its Node takes, whoever starts it. */
import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { nodeOptionsOf } from './service-node-options.mjs';
import { serviceNames, serviceProcess } from './service-processes.ts';

describe.each(serviceNames.map((name) => [name]))('%s', (name) => {
  test('has the options that the launcher and npm run service give it', () => {
    const { args } = serviceProcess(name, { root: '/', dataFolder: '/data', env: {} });
    expect(args).toEqual([...nodeOptionsOf(name), 'scripts/service.ts', name]);
    expect(args.includes('--no-allocation-site-pretenuring')).toBe(name === 'gateway');
  });
});

test('Node takes those of the gateway, which has another name too', () => {
  expect(nodeOptionsOf('ingest')).toEqual(nodeOptionsOf('gateway'));
  const { status, stderr } = spawnSync(process.execPath, [...nodeOptionsOf('gateway'), '-e', '0']);
  expect([status, stderr.toString()]).toEqual([0, '']);
});

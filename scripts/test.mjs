/**
 * `npm test`. Needs nothing but Node: looks whether the machine has what it must have, installs the npm packages, then
 * runs jest with what follows `--`. Suites that need a broker, a registry and the ClickHouse engine get their own.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareMachine } from '../infra/local/prepare.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
await prepareMachine(root, {
  java: !process.env.TEST_KAFKA_BROKERS || !process.env.TEST_SCHEMA_REGISTRY_URL,
});

// Modules are run as modules, which jest cannot do without this switch of Node.
const options = [process.env.NODE_OPTIONS, '--experimental-vm-modules'];
const jest = spawn(process.execPath, ['node_modules/jest/bin/jest.js', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, NODE_OPTIONS: options.filter(Boolean).join(' ') },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => jest.kill(signal));
jest.once('exit', (code) => process.exit(code ?? 1));

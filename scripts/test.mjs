/**
 * `npm test`, on any Node from 20 on: looks whether the machine has what it must have, installs the npm packages, then
 * runs jest with what follows `--`. Suites that need a broker, a registry and the ClickHouse engine get their own.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareMachine } from '../infra/local/prepare.mjs';
import { runOnNode } from '../infra/local/run-on-node.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
await prepareMachine(root, {
  java: !process.env.TEST_KAFKA_BROKERS || !process.env.TEST_SCHEMA_REGISTRY_URL,
});
await runOnNode(root, {
  script: join(root, 'node_modules/jest/bin/jest.js'),
  args: process.argv.slice(2),
  // Modules are run as modules, which jest cannot do without this; that Node calls it an experiment need not be said.
  options: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
});

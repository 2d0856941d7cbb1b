/**
 * `npm test`, on any Node from 20 on: looks whether the machine has what it must have, installs the npm packages, then
 * runs jest with what follows `--`; without it, every suite but the long ones. Suites that need a broker, a registry and
 * the ClickHouse engine get their own.
 *
 * `npm run test:long`: every suite, the long ones too, and each property four times as often as `npm test` tries it.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareMachine } from '../infra/local/prepare.mjs';
import { runOnNode } from '../infra/local/run-on-node.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
const [first, ...others] = process.argv.slice(2);
const isLong = first === '--long';
const wanted = isLong ? others : process.argv.slice(2);
if (isLong) process.env.TEST_TIMES ??= '4';
await prepareMachine(root, {
  java: !process.env.TEST_KAFKA_BROKERS || !process.env.TEST_SCHEMA_REGISTRY_URL,
});
await runOnNode(root, {
  script: join(root, 'node_modules/jest/bin/jest.js'),
  args: wanted.length > 0 ? wanted : suites(),
});

/** Of jest: all, or all that are not long. */
function suites() {
  return isLong ? [] : ['--selectProjects', 'unit', 'real'];
}

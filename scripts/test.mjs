/**
 * `npm test`. Needs nothing but Node: looks whether the machine has what it must have, installs the npm packages, then
 * runs jest with what follows `--`. Suites that need a broker, a registry and the ClickHouse engine get their own.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandFailed } from '../infra/local/long-command.mjs';
import { installNodeModules } from '../infra/local/node-modules.mjs';
import { missingRequirement } from '../infra/local/requirements.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);

const java = !process.env.TEST_KAFKA_BROKERS || !process.env.TEST_SCHEMA_REGISTRY_URL;
const missing = missingRequirement(root, process.env, { java });
if (missing !== undefined) {
  console.error(missing);
  process.exit(1);
}
try {
  await installNodeModules(root);
} catch (error) {
  if (!(error instanceof CommandFailed)) throw error;
  console.error(
    `could not install the npm packages: check the network and start again. npm says:\n${error.output}`,
  );
  process.exit(1);
}

// Modules are run as modules, which jest cannot do without this switch of Node.
const options = [
  process.env.NODE_OPTIONS,
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
];
const jest = spawn(process.execPath, ['node_modules/jest/bin/jest.js', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, NODE_OPTIONS: options.filter(Boolean).join(' ') },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => jest.kill(signal));
jest.once('exit', (code) => process.exit(code ?? 1));

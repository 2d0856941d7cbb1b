/**
 * `npm start`, on any Node from 20 on: looks whether the machine has what it must have, installs the npm packages, then
 * hands over to the launcher on the Node that Hindsight brings along.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareMachine } from '../infra/local/prepare.mjs';
import { runOnNode } from '../infra/local/run-on-node.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
if (existsSync('.env')) {
  if (process.loadEnvFile === undefined) {
    console.error(
      'could not read .env: that needs Node 20.12 or later; set the variables in the shell instead.',
    );
    process.exit(1);
  }
  process.loadEnvFile('.env');
}
const java = !process.env.KAFKA_BROKERS || !process.env.SCHEMA_REGISTRY_URL;
await prepareMachine(root, { java, ports: true });
await runOnNode(root, { script: join(root, 'scripts/launch.ts'), args: [] });

/**
 * `npm start`. Needs nothing but Node: looks whether the machine has what it must have, installs the npm packages, then
 * hands over to the launcher (infra/local/launcher.ts) in this same process.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareMachine } from '../infra/local/prepare.mjs';

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
await prepareMachine(root, { java: !process.env.KAFKA_BROKERS || !process.env.SCHEMA_REGISTRY_URL });

const { register } = await import('tsx/esm/api');
register();
const { launch } = await import('../infra/local/launcher.ts');
process.exit(await launch(root, process.env));

/**
 * `node scripts/run.mjs WHAT [arguments]`, on any Node from 20 on: runs WHAT on the Node that Hindsight brings along.
 * WHAT is the name of a script (scripts/WHAT.ts), a path, or a tool of node_modules. Installs the npm packages first.
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareMachine } from '../infra/local/prepare.mjs';
import { runOnNode } from '../infra/local/run-on-node.mjs';
import { nodeOptionsOf } from '../infra/local/service-node-options.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [what = '', ...args] = process.argv.slice(2);
await prepareMachine(root, { java: false });
const places = [join(root, 'scripts', `${what}.ts`), resolve(what), join(root, 'node_modules/.bin', what)];
const script = what === '' ? undefined : places.find((place) => existsSync(place));
if (script === undefined) {
  console.error(
    `could not run ${what === '' ? 'anything: nothing was named' : `${what}: there is no such script, file or tool`}.`,
  );
  process.exit(2);
}
const options = what === 'service' ? nodeOptionsOf(args[0]) : [];
await runOnNode(root, { script: realpathSync(script), args, options });

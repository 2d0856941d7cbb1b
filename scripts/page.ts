/**
 * `npm run page`: a link to the running installation's own page, which signs its bearer in once, within an hour, with the
 * keys of credentials.json. It ends the link before it.
 */
import { parseArgs } from 'node:util';
import { makeSignInCode } from '../services/gateway/sign-in-code.ts';
import { findAppTarget } from './reach/app-target.ts';
import { runCommand } from './reach/run-command.ts';

const HELP = `npm run page: a link to the page of this installation. It works once, within an hour, and ends the link before it.
The page has the workspaces of credentials.json. For another one open it without the link, and sign in with its app key.
`;

await runCommand(() => {
  const { values } = parseArgs({ options: { help: { type: 'boolean', default: false } } });
  if (values.help) {
    process.stdout.write(HELP);
    return Promise.resolve();
  }
  const { url } = findAppTarget('default', undefined);
  const code = makeSignInCode(process.env['HINDSIGHT_DATA'] ?? '.hindsight', Date.now());
  process.stdout.write(`${url}/#code=${code}\n`);
  return Promise.resolve();
});

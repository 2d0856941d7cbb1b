/** What `npm start` and `npm test` do first, with nothing but Node: look at the machine, install the npm packages. */
import { takenPort } from './free-ports.mjs';
import { CommandFailed } from './long-command.mjs';
import { hasNodeModules, installNodeModules } from './node-modules.mjs';
import { missingRequirement } from './requirements.mjs';

const OUTPUT_LINES_SHOWN = 10;

/**
 * Ends the process with 1 and a sentence when something is missing.
 *
 * @param need as of missingRequirement; `ports`: those of the settings. They are looked at only before an installation
 * of packages, which takes minutes: what starts looks by itself, after who else runs on the folder.
 */
export async function prepareMachine(root, need) {
  const missing =
    missingRequirement(root, process.env, need) ??
    (need.ports === true && !hasNodeModules(root) ? await takenPort(process.env) : undefined);
  if (missing !== undefined) {
    console.error(missing);
    process.exit(1);
  }
  try {
    await installNodeModules(root);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    const said = error.output.trim().split('\n').slice(0, OUTPUT_LINES_SHOWN).join('\n');
    console.error(
      `could not install the npm packages: check the network and start again. npm says:\n${said}`,
    );
    process.exit(1);
  }
}

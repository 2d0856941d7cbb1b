/** What `npm start` runs once everything is installed: the launcher, whose exit code it passes on. */
import { fileURLToPath } from 'node:url';
import { launch } from '../infra/local/launcher.ts';

process.exit(await launch(fileURLToPath(new URL('..', import.meta.url)), process.env));

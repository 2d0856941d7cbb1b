/** Our own script for pages with the classic snippet (classic/track.js). */
import { readFileSync } from 'node:fs';
import { scriptFile, type ScriptFile } from './script-file.ts';

export function classicScript(): ScriptFile {
  return scriptFile(readFileSync(new URL('./classic/track.js', import.meta.url)));
}

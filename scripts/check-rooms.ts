/**
 * `npm run check`: no two folders import each other, so that there is an order in which to read them. A folder and those
 * inside it are one room with its shelves: the room's door uses its shelves, and shelves use the room's ports.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { exit } from 'node:process';
import { foldersThatImportEachOther, importsOf } from './rooms/mutual-imports.ts';

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.(ts|mjs)$/.test(file) && !file.includes('.test.') && existsSync(file));

const faults = foldersThatImportEachOther(
  files.flatMap((file) => importsOf(file, readFileSync(file, 'utf8'))),
);
for (const fault of faults) console.error(fault);
if (faults.length > 0) exit(1);
console.log(`${String(files.length)} files: no two folders import each other`);

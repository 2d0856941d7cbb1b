/**
 * Builds what pages load for on-site messages, services/browser/in-app, into services/browser/built; with --check, fails
 * when a file there is not what it would write. The built files are kept, so that an installation builds nothing.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { exit } from 'node:process';
import { build } from 'esbuild';

const FROM = 'services/browser/in-app';
const TO = 'services/browser/built';
const FILES = ['client', 'renderer', 'html', 'frame'];

const { outputFiles } = await build({
  entryPoints: FILES.map((name) => ({ in: `${FROM}/entry-${name}.ts`, out: `in-app-${name}` })),
  outdir: TO,
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome111', 'firefox113', 'safari16.4'],
  charset: 'utf8',
  legalComments: 'inline',
  write: false,
});

const isCheck = process.argv.includes('--check');
mkdirSync(TO, { recursive: true });
for (const { path, contents } of outputFiles) {
  if (!isCheck) writeFileSync(path, contents);
  else if (!readFileSync(path).equals(contents)) {
    console.error(`${path} is not what ${FROM} makes: npm run generate`);
    exit(1);
  }
}

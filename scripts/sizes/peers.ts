/**
 * What pages load of others for the same purpose: the files for browsers that they publish with npm, at pinned versions,
 * gzipped as ours are. Downloaded when they are measured and kept nowhere; nothing of them is run.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scriptFile } from '../../services/browser/script-file.ts';

export interface Peer {
  readonly what: string;
  /** Of npm, with its version. */
  readonly package: string;
  /** In the package. */
  readonly file: string;
}

export const peers: readonly Peer[] = [
  {
    what: "Customer.io's own plugin for messages, beside its library",
    package: 'customerio-gist-web@3.26.0',
    file: 'dist/gist.min.js',
  },
  { what: 'PostHog, on each page', package: 'posthog-js@1.449.2', file: 'dist/array.js' },
  { what: 'PostHog surveys, beside it', package: 'posthog-js@1.449.2', file: 'dist/surveys.js' },
  { what: 'PostHog product tours, beside it', package: 'posthog-js@1.449.2', file: 'dist/product-tours.js' },
  { what: 'Formbricks surveys', package: '@formbricks/surveys@1.99.0', file: 'dist/index.umd.js' },
  { what: 'Iterable', package: '@iterable/web-sdk@2.2.1', file: 'index.js' },
];

/** Bytes of each, gzipped. Needs the network, npm and tar. */
export function measuredPeers(): readonly number[] {
  const folder = mkdtempSync(join(tmpdir(), 'hindsight-sizes-'));
  try {
    const unpacked = new Map<string, string>();
    return peers.map(({ package: name, file }) => {
      const place = unpacked.get(name) ?? unpackedInto(folder, name);
      unpacked.set(name, place);
      return scriptFile(readFileSync(join(place, file))).gzipped.length;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns its folder. */
function unpackedInto(folder: string, name: string): string {
  const place = mkdtempSync(join(folder, 'package-'));
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', place, name], {
    cwd: place,
    encoding: 'utf8',
  });
  execFileSync('tar', ['xzf', join(place, packed.trim()), '-C', place]);
  return join(place, 'package');
}

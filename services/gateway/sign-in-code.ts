/**
 * A code that signs its bearer in once: `npm start` and `npm run page` print it within a link, the front page hands it
 * back. The data folder has its digest, so that who may write there, who can read the keys anyway, may make one, and a
 * gateway whose folder has none signs in nobody.
 *
 *   made ──the right code──▶ taken (the file is gone) ──▶ 401
 *     └──one hour──▶ 401
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { keysForPages, type PageKeys } from './credentials.ts';

export const signInMsMax = 3_600_000;
const CODE_BYTES = 20;

interface Kept {
  /** Hex, SHA-256 of the code. */
  readonly digest: string;
  /** ms */
  readonly expires_at: number;
}

/** In the place of an earlier one. @param now ms. @returns the code. */
export function makeSignInCode(dataFolder: string, now: number): string {
  const code = randomBytes(CODE_BYTES).toString('hex');
  const kept: Kept = { digest: digestOf(code).toString('hex'), expires_at: now + signInMsMax };
  const file = fileIn(dataFolder);
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, JSON.stringify(kept), { mode: 0o600 });
  renameSync(draft, file);
  return code;
}

/** @param now ms. @returns the keys of each workspace of credentials.json; undefined: not the code, or not any more. */
export async function takeSignInCode(
  dataFolder: string,
  code: string,
  now: number,
): Promise<Readonly<Record<string, PageKeys>> | undefined> {
  const file = fileIn(dataFolder);
  const kept = await read(file);
  if (kept === undefined || now >= kept.expires_at) return undefined;
  if (!timingSafeEqual(Buffer.from(kept.digest, 'hex'), digestOf(code))) return undefined;
  // Of two who come with it at once, the one who removes the file is signed in.
  const isFirst = await unlink(file).then(
    () => true,
    () => false,
  );
  return isFirst ? keysForPages(dataFolder) : undefined;
}

function fileIn(dataFolder: string): string {
  return join(dataFolder, 'sign-in.json');
}

function digestOf(code: string): Buffer {
  return createHash('sha256').update(`sign-in:${code}`).digest();
}

async function read(file: string): Promise<Kept | undefined> {
  try {
    const kept = JSON.parse(await readFile(file, 'utf8')) as Kept; // written by this module alone
    return /^[0-9a-f]{64}$/.test(kept.digest) ? kept : undefined;
  } catch {
    return undefined; // there is none, or it was just taken
  }
}

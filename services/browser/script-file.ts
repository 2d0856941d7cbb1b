/** A file that is served as it is, in both its forms; made once, when the process starts. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

export interface ScriptFile {
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
  /** Strong, of `bytes`. */
  readonly digest: string;
}

export function scriptFile(bytes: Buffer): ScriptFile {
  const digest = createHash('sha256').update(bytes).digest('base64url');
  return { bytes, gzipped: gzipSync(bytes, { level: 9 }), digest };
}

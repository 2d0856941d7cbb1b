import type { ProcessIdentity } from './process-identity.mjs';

export type LockAttempt =
  { readonly release: () => void; readonly holder?: undefined } | { readonly holder: ProcessIdentity };
export function tryLock(file: string): LockAttempt;
export function withLock<T>(
  file: string,
  onWait: (holder: ProcessIdentity) => void,
  work: () => Promise<T>,
): Promise<T>;

/** A certificate and its key, as files of the operator's that settings name. */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Field } from '../runtime/config.ts';
import { CodedError } from '../runtime/errors.ts';

/** PEM files; both or none. */
export const tlsFields = {
  tlsCert: pairedField('HINDSIGHT_TLS_CERT', 'HINDSIGHT_TLS_KEY'),
  tlsKey: pairedField('HINDSIGHT_TLS_KEY', 'HINDSIGHT_TLS_CERT'),
} as const;

export interface TlsFiles {
  /** Paths of PEM files; the certificate with its chain. */
  readonly cert: string;
  readonly key: string;
}

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** @throws CodedError `tls_unreadable`. */
export function readPair({ cert, key }: TlsFiles): Pair {
  try {
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  } catch (error) {
    throw new CodedError('tls_unreadable', `could not read the certificate or its key: ${String(error)}`, {
      cause: error,
      hint: 'HINDSIGHT_TLS_CERT and HINDSIGHT_TLS_KEY name PEM files that this process may read.',
    });
  }
}

export function unusablePair(error: unknown): CodedError {
  return new CodedError('tls_unreadable', `could not use the certificate and its key: ${String(error)}`, {
    cause: error,
    hint: 'They must be PEM, and belong together.',
  });
}

/** Before anything is started. @throws CodedError `tls_unreadable`. */
export function checkPair(files: TlsFiles): void {
  const pair = readPair(files);
  try {
    createSecureContext({ ...pair });
  } catch (error) {
    throw unusablePair(error);
  }
}

/** Not without the other one. */
function pairedField(variable: string, other: string): Field<string | undefined> {
  const isSet = (text: string | undefined) => text !== undefined && text.trim() !== '';
  return {
    variable,
    read: (text, env) => {
      if (text === undefined && isSet(env[other])) throw new Error(`must be set, since ${other} is`);
      return text;
    },
  };
}

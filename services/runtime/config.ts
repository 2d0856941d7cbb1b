/** Settings of a process: read once at start, complete or refused with every fault named. */
import { resolve } from 'node:path';
import { EMBEDDED_PARTITIONS } from '../../schemas/topics.ts';
import { CodedError } from './errors.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** One setting. `read` gets undefined for an absent or empty variable and throws an Error that says what is wrong. */
export interface Field<T> {
  readonly variable: string;
  readonly read: (text: string | undefined, env: Env) => T;
}
export type Fields = Readonly<Record<string, Field<unknown>>>;
export type Config<F extends Fields> = { readonly [Name in keyof F]: ReturnType<F[Name]['read']> };

/** @throws CodedError `settings_invalid` that lists every fault, a line each. */
export function readConfig<F extends Fields>(env: Env, fields: F): Config<F> {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const text = env[field.variable]?.trim();
    try {
      values[name] = field.read(text === '' ? undefined : text, env);
    } catch (error) {
      faults.push(`${field.variable}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (faults.length > 0) {
    throw new CodedError('settings_invalid', `could not read the settings: ${faults.join('; ')}`, {
      hint: 'Set or correct these environment variables and start again.',
    });
  }
  return values as Config<F>; // every field has been read into the place of its name
}

/** Without a fallback the setting is required. */
export function textField(variable: string, fallback?: string): Field<string> {
  return { variable, read: (text) => text ?? required(fallback) };
}

export function optionalTextField(variable: string): Field<string | undefined> {
  return { variable, read: (text) => text };
}

export function integerField(
  variable: string,
  bounds: { readonly min: number; readonly max: number; readonly fallback?: number },
): Field<number> {
  return {
    variable,
    read: (text) => {
      const value = text === undefined ? required(bounds.fallback) : Number(text);
      if (!Number.isInteger(value) || value < bounds.min || value > bounds.max) {
        throw new Error(
          `must be a whole number from ${String(bounds.min)} to ${String(bounds.max)}, not ${String(text)}`,
        );
      }
      return value;
    },
  };
}

export function optionalIntegerField(
  variable: string,
  bounds: { readonly min: number; readonly max: number },
): Field<number | undefined> {
  const { read } = integerField(variable, bounds);
  return { variable, read: (text, env) => (text === undefined ? undefined : read(text, env)) };
}

export function shareField(variable: string, fallback: number): Field<number> {
  return {
    variable,
    read: (text) => {
      const value = text === undefined ? fallback : Number(text);
      if (!(value >= 0 && value <= 1)) throw new Error(`must be a share from 0 to 1, not ${String(text)}`);
      return value;
    },
  };
}

export function urlField(variable: string, fallback?: string): Field<string> {
  return {
    variable,
    read: (text) => {
      const value = text ?? required(fallback);
      if (!URL.canParse(value)) throw new Error(`must be a URL, not ${value}`);
      return value.replace(/\/+$/, '');
    },
  };
}

export function optionalUrlField(variable: string): Field<string | undefined> {
  const { read } = urlField(variable);
  return { variable, read: (text, env) => (text === undefined ? undefined : read(text, env)) };
}

/** `on` or `off`; absent is off. */
export function switchField(variable: string): Field<boolean> {
  return {
    variable,
    read: (text) => {
      if (text !== undefined && text !== 'on' && text !== 'off')
        throw new Error(`must be on or off, not ${text}`);
      return text === 'on';
    },
  };
}

/** Copies of each partition of topics that are made; undefined: as many as there are brokers, three at most. */
export const copiesFields = {
  replicas: optionalIntegerField('HINDSIGHT_REPLICAS', { min: 1, max: 15 }),
  /** How many of them must have a record before it counts; undefined: two of three, else one. */
  minInSync: optionalIntegerField('HINDSIGHT_MIN_INSYNC_REPLICAS', { min: 1, max: 15 }),
} as const;

/** What every service process reads. Take the ones that are needed: `{ ...sharedFields, port: … }`. */
export const sharedFields = {
  brokers: {
    variable: 'KAFKA_BROKERS',
    read: (text) => {
      const brokers = required(text).split(',');
      for (const broker of brokers) {
        if (!/^[^\s:]+:\d{1,5}$/.test(broker)) throw new Error(`must be host:port,…, not ${broker}`);
      }
      return brokers;
    },
  } satisfies Field<readonly string[]>,
  registryUrl: urlField('SCHEMA_REGISTRY_URL'),
  /** Absolute path of the folder of everything kept. */
  dataFolder: {
    variable: 'HINDSIGHT_DATA',
    read: (text) => resolve(text ?? '.hindsight'),
  } satisfies Field<string>,
  /** Put before every topic, group and transactional id; empty in production. */
  prefix: textField('HINDSIGHT_PREFIX', ''),
  partitions: integerField('HINDSIGHT_PARTITIONS', { min: 1, max: 1024, fallback: EMBEDDED_PARTITIONS }),
  testClock: {
    variable: 'HINDSIGHT_TEST_CLOCK',
    read: (text, env) => {
      const on = switchField('HINDSIGHT_TEST_CLOCK').read(text, env);
      if (on && env.NODE_ENV === 'production') throw new Error('is refused with NODE_ENV=production');
      return on;
    },
  } satisfies Field<boolean>,
} as const;

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('is not set');
  return value;
}

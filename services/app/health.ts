/** `GET /health/live`, `/health/ingest`, `/health/ready`, `/health/settled`: JSON with a line a part. No key is asked for. */
import type { FastifyInstance } from 'fastify';
import { answer } from './answers.ts';
import type { Statuses } from './ports.ts';
import { checkSettled, type SettledOptions } from './settled.ts';
import { SharedLook } from './shared-look.ts';

export interface PartHealth {
  readonly ok: boolean;
  readonly detail?: string;
}

/** How much is held of what is bounded. One that is full makes callers wait, and says nothing against readiness. */
export interface Budget {
  readonly held_bytes: number;
  readonly bytes_max: number;
}

export interface HealthOptions extends SettledOptions {
  readonly budgets: () => Readonly<Record<string, Budget>>;
  readonly statuses: Statuses;
  /** Whether calls are kept: by the log, or by the disk while that does not answer. */
  readonly ingest: () => PartHealth & Readonly<Record<string, unknown>>;
  /** Parts that are no services: the broker, ClickHouse. Bounded by the caller. */
  readonly parts: Readonly<Record<string, () => Promise<PartHealth>>>;
}

const SERVICES = ['merger', 'identity', 'trigger', 'in-app', 'sink'] as const;
/** Watermarks are handled about once a second, so one answer may have to wait for that. */
const settledMsMax = 3_000;

export function mountHealth(app: FastifyInstance, options: HealthOptions): void {
  app.get('/health/live', (_request, reply) => answer(reply, 200, { live: true }));
  app.get('/health/ingest', (_request, reply) => {
    const ingest = options.ingest();
    return answer(reply, ingest.ok ? 200 : 503, ingest);
  });
  const readiness = new SharedLook(() => lookAround(options));
  app.get('/health/ready', async (_request, reply) => {
    const seen = await readiness.now();
    return answer(reply, seen.ready ? 200 : 503, seen);
  });
  const settling = new SharedLook(() => checkSettled(options, settledMsMax));
  app.get('/health/settled', async (_request, reply) => {
    const report = await settling.fresh();
    return answer(reply, report.settled ? 200 : 503, report);
  });
}

async function lookAround(options: HealthOptions) {
  const checks: [string, Promise<PartHealth>][] = [
    ['ingest', Promise.resolve(options.ingest())],
    ...Object.entries(options.parts).map(([name, check]): [string, Promise<PartHealth>] => [name, check()]),
    ...SERVICES.map((name): [string, Promise<PartHealth>] => [name, options.statuses.ready(name)]),
  ];
  const lines = await Promise.all(checks.map(async ([name, check]) => [name, await check] as const));
  const ready = lines.every(([, part]) => part.ok);
  return {
    ready,
    /** Of this gateway. */
    up_ms: Math.round(process.uptime() * 1_000),
    parts: Object.fromEntries(lines),
    budgets: options.budgets(),
  };
}

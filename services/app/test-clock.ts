/**
 * `PUT` and `GET /v1/test-clock`: the clock of all tasks, so that windows and timers can be tested without waiting.
 * A PUT answers when every task has taken the time up, and never sets the clock back.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Compile } from 'typebox/compile';
import { TestClockBody } from '../../schemas/http/app.ts';
import { CodedError } from '../runtime/errors.ts';
import { answer, badRequest, bearerOf, readBody, unauthorized } from './answers.ts';
import type { InForce } from './in-force.ts';
import type { AppKeys, DefinitionsStore } from './ports.ts';
import { shapeFaults } from './shape-faults.ts';

export interface TestClockOptions {
  readonly keys: Pick<AppKeys, 'app' | 'isAdmin'>;
  readonly definitions: DefinitionsStore;
  readonly inForce: InForce;
}

const takenMsMax = 15_000;
const shape = Compile(TestClockBody);

export function mountTestClock(app: FastifyInstance, options: TestClockOptions): void {
  app.get('/v1/test-clock', (request, reply) =>
    mayUse(options, request) ? answer(reply, 200, describe(options)) : unauthorized(reply),
  );
  app.put('/v1/test-clock', (request, reply) => put(options, request, reply));
}

async function put(
  options: TestClockOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { definitions, inForce } = options;
  if (!mayUse(options, request)) return unauthorized(reply);
  const read = readBody(request);
  if (!read.ok) return badRequest(reply, [read.fault]);
  if (!shape.Check(read.value)) return badRequest(reply, shapeFaults(shape, read.value));
  const time = Date.parse(read.value.now);
  if (Number.isNaN(time)) {
    return badRequest(reply, [{ pointer: '/now', code: 'wrong_type', message: 'must be an ISO 8601 time' }]);
  }
  if (time < (definitions.clock ?? -Infinity)) {
    const message = `the clock stands at ${describe(options).now ?? ''} and never runs backwards`;
    return badRequest(reply, [{ pointer: '/now', code: 'out_of_range', message }]);
  }
  await definitions.advanceClockTo(time);
  const [first] = await inForce.wait('clock', takenMsMax);
  if (first !== undefined) {
    const message = `could not set the clock everywhere: ${first.service} has not taken it yet (${first.what})`;
    throw new CodedError('clock_not_taken', message);
  }
  return answer(reply, 200, describe(options));
}

function describe({ definitions }: TestClockOptions): { readonly now: string | null } {
  const { clock } = definitions;
  return { now: clock === undefined ? null : new Date(clock).toISOString() };
}

function mayUse({ keys }: TestClockOptions, request: FastifyRequest): boolean {
  const key = bearerOf(request);
  return key !== undefined && (keys.app(key) !== undefined || keys.isAdmin(key));
}

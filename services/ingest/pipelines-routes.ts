/**
 * The Pipelines API (spec A.3, A.4). Strict mode (`X-Strict-Mode: 1`) answers 400 for a call that breaks a rule, and
 * takes nothing of a batch that holds one; otherwise the answer is 200 and a row of `dropped` says what was left out.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Compile } from 'typebox/compile';
import {
  batchBytesMax,
  batchCallsMax,
  batchContextsBytesMax,
  callBytesMax,
} from '../../schemas/http/limits.ts';
import { Batch } from '../../schemas/http/pipelines.ts';
import { callerOf, type KnownKey } from '../runtime/caller.ts';
import { answer, failed, failure, taken, type PlainAnswer } from './answers.ts';
import { pipelinesCaller, pipelinesHeader } from './authenticate.ts';
import { notedInTurn } from './corrections.ts';
import { limitedByBody, tellTaken } from './door-watch.ts';
import { formed } from './formed.ts';
import { keysInBody } from './key-in-body.ts';
import { isObject, readJson, type ReadJson, type SentObject } from './json-text.ts';
import { barredBy } from './key-rules.ts';
import { agentIn, type PipelinesCall } from './pipelines-stamps.ts';
import { countWithin } from './not-numbers.ts';
import { isEmptyList } from './readable-call.ts';
import { aboutCall, inBatch, refusedRow, toldMessage } from './refused-call.ts';
import { badReceiveTime, bodyOf, callContext, receiveTimeOf, type IngestRoutes } from './request.ts';
import type { Taken } from './sightings.ts';
import { isRefusal, refused, type CallContext, type Outcome, type Refusal } from './translation.ts';
import { behindDeletions } from './translate-object.ts';
import { turnAway } from './turned-away.ts';
import { translatePipelines } from './translate-pipelines.ts';
import { shapeFault } from './validate.ts';

/** Route names of servers, and the letters that browsers use. */
export const CALLS = [
  ['identify', 'i'],
  ['track', 't'],
  ['page', 'p'],
  ['screen', 's'],
  ['alias', 'a'],
  ['group', 'g'],
  ['batch', 'b'],
] as const;

const batchShape = Compile(Batch);

export function mountPipelines(app: FastifyInstance, options: IngestRoutes): void {
  for (const [type, letter] of CALLS) {
    for (const route of [type, letter]) {
      const isBrowser = route === letter;
      const onRequest = pipelinesHeader(options.keys, { isBrowser });
      app.post(`/v1/${route}`, { onRequest }, (request, reply) =>
        take({ ...options, type, isBrowser }, request, reply),
      );
    }
  }
}

interface CallRoute extends IngestRoutes {
  readonly type: string;
  readonly isBrowser: boolean;
}

/** What a request comes to: what to send if it is taken, and the refusals that strict mode answers with. */
interface Verdict {
  /** How many calls the request holds. */
  readonly calls: number;
  readonly outcomes: readonly Outcome[];
  readonly refusals: readonly Refusal[];
}

async function take(options: CallRoute, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { keys, type, isBrowser } = options;
  const isStrict = request.headers['x-strict-mode'] === '1';
  if (callerOf(request) === undefined) {
    const candidates = keysInBody(bodyOf(request), 'writeKey');
    const isKnown = candidates.some((key) => keys.find('write', key) !== undefined);
    if (!isKnown) return turnAway(keys, { request, reply, wanted: 'write', sentKey: candidates[0] });
  }
  const read = readJson(bodyOf(request), { lenient: !isStrict });
  const sent = read.type === 'object' ? read.sent : undefined;
  const before = callerOf(request)?.key;
  const workspace = pipelinesCaller(request, { keys, isBrowser, key: writeKeyOf(sent) });
  if (workspace === undefined) {
    const isUnreadable = read.type === 'malformed';
    return turnAway(keys, { request, reply, wanted: 'write', sentKey: writeKeyOf(sent), isUnreadable });
  }
  const key = callerOf(request)?.key;
  if (key !== before && limitedByBody(options.limits, request, reply)) return reply;
  const receivedAt = await receiveTimeOf(options, request);
  if (receivedAt === undefined) return failure(reply, 400, badReceiveTime);
  const source = `pipelines.${type}`;
  const call = callContext(options, { workspace, receivedAt, source }, key);
  // Of a server the header tells its library, not whoever does what it tells of, whichever route it takes.
  const agent = isBrowser && key?.kind !== 'server' ? request.headers['user-agent'] : undefined;
  const tell = (what: Taken): void => {
    tellTaken(request, what);
  };
  return answer(
    reply,
    await answerTo(options, { call: { ...call, agent }, key, type, read, isStrict }, tell),
  );
}

/** A request whose caller is known, read. */
export interface ReadRequest {
  readonly call: Calling;
  readonly key: KnownKey | undefined;
  readonly type: string;
  readonly read: ReadJson;
  readonly isStrict: boolean;
}

/**
 * What it is answered, when what is taken of it is kept. @param tell is told what it came to, before that.
 * @throws CodedError when something cannot be kept.
 */
export function answerTo(
  options: Pick<IngestRoutes, 'deliver' | 'limits'>,
  { call, key, type, read, isStrict }: ReadRequest,
  tell: (what: Taken) => void,
): Promise<PlainAnswer> {
  const { outcomes, refusals, calls } = judge(call, type, read);
  tell({ outcomes, refusals });
  if (key !== undefined && calls > 1) options.limits.charge(key, { calls: calls - 1, bytes: 0 });
  const barred = refusals.filter(({ reason }) => reason === 'key_not_allowed');
  if (barred[0] !== undefined && (isStrict || barred.length === calls)) {
    const { message, reason } = barred[0];
    return Promise.resolve(failed(403, { meta: { error: message, code: reason } }));
  }
  const [first, ...more] = refusals;
  if (isStrict && first !== undefined) {
    return Promise.resolve(failed(400, { meta: { ...faultsOf([first, ...more]), ...indexesOf(refusals) } }));
  }
  // Without an await, which would keep the whole request until it is answered (deliver.ts).
  return options.deliver(outcomes).then(asTaken);
}

function asTaken(): PlainAnswer {
  return taken;
}

/** One is `error`, several are `errors`, as Customer.io has it. */
function faultsOf(refusals: readonly [Refusal, ...Refusal[]]) {
  const [error = '', ...more] = refusals.map(toldMessage);
  return more.length === 0 ? { error } : { errors: [error, ...more] };
}

/** Which calls of a batch it is about, from 0; nothing of a batch is taken. */
function indexesOf(refusals: readonly Refusal[]) {
  const indexes = new Set(refusals.flatMap(({ batchIndex }) => batchIndex ?? []));
  return indexes.size === 0 ? {} : { batch_indexes: [...indexes] };
}

/** A call before it is read; its agent is that of a browser. */
type Calling = CallContext & Pick<PipelinesCall, 'agent'>;

const noRefusals: readonly Refusal[] = [];

function judge(call: Calling, type: string, read: ReadJson): Verdict {
  if (read.type === 'malformed') return whole(call, refused('invalid_call', null, read.message));
  const { unread } = read;
  if (type !== 'batch') return judgeCall({ ...call, context: null }, { type, sent: read.sent, unread });
  const sent = isEmptyList(read.sent.value.context) ? read.sent.amended(['context']) : read.sent;
  const shape = shapeFault(batchShape, sent.value, { batch: 'batch must be a list' });
  if (shape !== undefined) return whole(call, shape);
  if (sent.isLonger(batchBytesMax)) {
    const text = `a batch cannot be larger than ${String(batchBytesMax)} bytes: it has ${String(sent.bytes)}`;
    return whole(call, refused('limit_exceeded', 'batch', text));
  }
  const items = sent.objects('batch');
  if (items.length > batchCallsMax) {
    const text = `a batch cannot hold more than ${String(batchCallsMax)} calls`;
    return whole(call, refused('limit_exceeded', 'batch', text));
  }
  const context = batchContext(sent, items.length);
  const shared = isRefusal(context) ? null : context;
  // What all its calls have in common, once.
  let calling: PipelinesCall = notedInTurn({
    ...call,
    agent: agentIn(call, sent),
    context: shared,
    sentAt: sent.value.sentAt,
  });
  const [outcomes, refusals]: [Outcome[], Refusal[]] = [[], []];
  const add = (verdict: Verdict): void => {
    for (const outcome of verdict.outcomes) outcomes.push(outcome);
    for (const refusal of verdict.refusals) refusals.push(refusal);
  };
  items.forEach((item, index) => {
    if (item === undefined) {
      add(whole(call, inBatch(refused('invalid_call', null, 'a call must be an object'), index)));
      return;
    }
    const itemType = item.value.type;
    const itsType = typeof itemType === 'string' ? itemType : '';
    const verdict = judgeCall(calling, { type: itsType, sent: item, unread, index });
    add(verdict);
    calling = behindDeletions(calling, verdict.outcomes);
  });
  if (isRefusal(context)) add(whole(call, context));
  return { calls: items.length, outcomes, refusals };
}

/** Null when there is none; a refusal leaves it out of all calls. */
function batchContext(sent: SentObject, calls: number): string | null | Refusal {
  const context = sent.object('context');
  if (context === undefined) return null;
  const { bytes } = context;
  if (bytes <= callBytesMax && bytes * calls <= batchContextsBytesMax) return context.text;
  const text =
    `the context of a batch cannot be larger than ${String(callBytesMax)} bytes, ` +
    `nor than ${String(batchContextsBytesMax)} bytes over all its calls`;
  return refused('limit_exceeded', 'context', text);
}

interface ReadCall {
  readonly type: string;
  readonly sent: SentObject;
  /** Where in the body null stands for a number that JSON does not have. */
  readonly unread: readonly number[];
  /** Within a batch, from 0. */
  readonly index?: number;
}

function judgeCall(call: PipelinesCall, { type, sent, unread, index }: ReadCall): Verdict {
  const told = (refusal: Refusal): Refusal => {
    const refused = { ...refusal, about: aboutCall(sent, { type }) };
    return index === undefined ? refused : inBatch(refused, index);
  };
  const nulls = countWithin(unread, sent.span);
  const counted = nulls === 0 ? call : { ...call, nulls };
  const translation = formed(call, translatePipelines(counted, type, sent));
  if (translation.type === 'accepted') {
    const fault = barredBy(call.barred, translation.outcomes);
    if (fault !== undefined) {
      return { calls: 1, outcomes: [refusedRow(call, sent, told(fault))], refusals: [told(fault)] };
    }
    const refusals = translation.strictFaults?.map(told) ?? noRefusals;
    return { calls: 1, outcomes: translation.outcomes, refusals };
  }
  const outcomes = [refusedRow(call, sent, told(translation))];
  return { calls: 1, outcomes, refusals: [told(translation)] };
}

function whole(call: CallContext, refusal: Refusal): Verdict {
  return { calls: 1, outcomes: [refusedRow(call, undefined, refusal)], refusals: [refusal] };
}

/** Browsers send it beside the call; in a batch at the top and in each item. */
function writeKeyOf(sent: SentObject | undefined): unknown {
  if (sent === undefined) return undefined;
  if (sent.value.writeKey !== undefined) return sent.value.writeKey;
  const { batch } = sent.value;
  const first: unknown = Array.isArray(batch) ? batch[0] : undefined;
  return isObject(first) ? first.writeKey : undefined;
}

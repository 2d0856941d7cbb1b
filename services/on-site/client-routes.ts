/** `/v1/in-app/…`: what our client in the page calls. Its bodies are JSON of any content type: no preflight is needed. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { identifierBytesMax } from '../../schemas/http/limits.ts';
import type { Workspace } from '../../schemas/ids.ts';
import { answer, refuse, sendAnswer, unknownSite } from './answers.ts';
import type { Seen } from './page-signs.ts';
import { agentOf, badTime, badVisitor, pollsPath, type AnswerPoll } from './polls.ts';
import type { InAppCall, OnSiteOptions } from './ports.ts';
import { bodyOf, nameOf, numberOf, pageOf, textOf } from './page-body.ts';
import { anonymousIdOf } from './visitors.ts';

const REPORTS = ['clicked', 'dismissed', 'snoozed', 'submitted', 'not_shown'];
const SNOOZE_MINUTES_MAX = 525_600;

export function mountClient(app: FastifyInstance, options: OnSiteOptions, answerPoll: AnswerPoll): void {
  app.get<{ Querystring: Record<string, unknown> }>(pollsPath, async (request, reply) =>
    sendAnswer(reply, await answerPoll(request)),
  );
  app.post('/v1/in-app/shows', (request, reply) => show(options, request, reply));
  app.post('/v1/in-app/reports', (request, reply) => report(options, request, reply));
  app.post('/v1/in-app/consent', (request, reply) => consent(options, request, reply));
}

const names = `texts of at most ${String(identifierBytesMax)} bytes`;

function signOf({ anonymousId, page }: InAppCall): Seen {
  return { page: page?.name ?? null, anonymousId, client: 'in_app' };
}

/** What every body has; undefined: the reply says what it lacks. */
async function callerOf(
  { keys, receiveTime }: OnSiteOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<
  | {
      readonly workspace: Workspace;
      readonly anonymousId: string;
      readonly at: number;
      readonly body: Readonly<Record<string, unknown>>;
    }
  | undefined
> {
  const body = bodyOf(request);
  if (body === undefined) {
    void refuse(reply, 400, 'invalid_json', 'the body is no JSON object of at most 64 KiB');
    return undefined;
  }
  const workspace =
    keys.site(textOf(body['site_id']) ?? '') ?? keys.pipelines(textOf(body['write_key']) ?? '');
  if (workspace === undefined) {
    void unknownSite(reply);
    return undefined;
  }
  const anonymousId = anonymousIdOf(body['anonymous_id']);
  const at = await receiveTime(request.headers['x-hindsight-received-at']);
  if (anonymousId === undefined || at === undefined) {
    void refuse(reply, 400, 'invalid_call', at === undefined ? badTime : badVisitor);
    return undefined;
  }
  return { workspace, anonymousId, at, body };
}

async function show(
  options: OnSiteOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const caller = await callerOf(options, request, reply);
  if (caller === undefined) return reply;
  const { workspace, anonymousId, at, body } = caller;
  const [messageId, exposure] = [nameOf(body['message_id']), nameOf(body['exposure'])];
  if (messageId === undefined || exposure === undefined) {
    return refuse(reply, 400, 'invalid_call', `message_id and exposure are ${names}`);
  }
  const token = anonymousIdOf(body['token']);
  if (token !== undefined) {
    // Before it is shown: what the client's plugin tells of this showing must find who the token is.
    const link = { kind: 'link', workspace, anonymousId: token, linkedId: anonymousId, at } as const;
    await options.calls.send({ ...link, requestId: options.newId() });
  }
  const call: InAppCall = {
    kind: 'show',
    workspace,
    anonymousId,
    requestId: options.newId(),
    at,
    messageId,
    exposure,
    variant: nameOf(body['variant']) ?? null,
    page: pageOf(body),
    agent: agentOf(request.headers),
    isIdentified: textOf(body['user_id']) !== undefined,
    // Whose client has a token goes by the page rules itself, and its frame is not told the page.
    isAnyPage: token !== undefined,
  };
  const { taken, reason, variant } = await options.calls.decide(call);
  if (taken) options.signs.note(workspace, 'shown', signOf(call));
  return answer(reply, 200, taken ? { show: true, exposure, variant } : { show: false, reason });
}

async function report(
  options: OnSiteOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const caller = await callerOf(options, request, reply);
  if (caller === undefined) return reply;
  const { body, ...who } = caller;
  const [messageId, exposure, event] = ['message_id', 'exposure', 'event'].map((key) => nameOf(body[key]));
  if (messageId === undefined || exposure === undefined || event === undefined || !REPORTS.includes(event)) {
    const message = `message_id and exposure are ${names}, event is one of ${REPORTS.join(', ')}`;
    return refuse(reply, 400, 'invalid_call', message);
  }
  const action = textOf(body['action']) ?? null;
  const minutes = numberOf(body['minutes'], { min: 1, max: SNOOZE_MINUTES_MAX });
  const call: InAppCall = {
    kind: 'report',
    ...who,
    requestId: options.newId(),
    exposure,
    messageId,
    event,
    action,
    minutes,
  };
  const { taken, reason } = await options.calls.decide(call);
  if (taken && event !== 'not_shown') options.signs.note(call.workspace, 'reported', signOf(call));
  return answer(reply, 200, taken ? { taken } : { taken, reason });
}

async function consent(
  options: OnSiteOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const caller = await callerOf(options, request, reply);
  if (caller === undefined) return reply;
  const { body, ...who } = caller;
  const { consent: given } = body;
  if (typeof given !== 'boolean') return refuse(reply, 400, 'invalid_call', 'consent is true or false');
  const { workspace, anonymousId, at } = who;
  // First where their events wait: what then fails is asked again by the page, and twice is once.
  await options.recordConsent({ workspace, anonymousId, at, isGiven: given, messageId: options.newId() });
  const call: InAppCall = { kind: 'consent', ...who, requestId: options.newId(), consent: given };
  const { taken } = await options.calls.decide(call);
  return answer(reply, 200, { taken });
}

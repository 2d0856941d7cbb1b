/**
 * What a poll of our client is answered. Most of what pages ask is polls, so the gateway has a short way for them
 * (services/gateway/short-polls.ts), past its framework; the answer is the same by either.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { refusal, siteUnknown, taggedAnswer, type PageAnswer } from './answers.ts';
import type { Looks } from './looks.ts';
import { pageOf, TEXT_CHARS_MAX, textOf } from './page-body.ts';
import type { OnSiteOptions } from './ports.ts';
import { anonymousIdOf, laneOf } from './visitors.ts';

export const pollsPath = '/v1/in-app/queue';
export const badTime = 'X-Hindsight-Received-At is not a time';
export const badVisitor = 'anonymous_id must name a visitor: 1 to 150 bytes, and no placeholder';

export interface PollRequest {
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: IncomingHttpHeaders;
}

/** Rejects as the view does. */
export type AnswerPoll = (request: PollRequest) => Promise<PageAnswer>;

export function answerPolls(
  { keys, view, receiveTime, signs }: Pick<OnSiteOptions, 'keys' | 'view' | 'receiveTime' | 'signs'>,
  looks: Looks,
): AnswerPoll {
  return async ({ query, headers }) => {
    const workspace = keys.site(textOf(query['site_id']) ?? '');
    if (workspace === undefined) return siteUnknown;
    const anonymousId = anonymousIdOf(query['anonymous_id']);
    if (anonymousId === undefined) return refusal(400, 'invalid_call', badVisitor);
    const at = await receiveTime(headers['x-hindsight-received-at']);
    if (at === undefined) return refusal(400, 'invalid_call', badTime);
    const isIdentified = textOf(query['user_id']) !== undefined;
    const page = pageOf(query);
    signs.note(workspace, 'asked', { page: page?.name ?? null, anonymousId, client: 'in_app' });
    const moment = { at, page, agent: agentOf(headers), isIdentified };
    const asked = { workspace, lane: laneOf(workspace, anonymousId), anonymousId, moment };
    const polled = await view.poll(asked);
    looks.note(workspace, asked, polled);
    const { messages, pollSeconds } = polled;
    const body = {
      messages: messages.map(({ message_id, version, variant, content }) => ({
        message_id,
        version,
        variant,
        content,
      })),
      poll_seconds: pollSeconds,
    };
    const interval = { 'x-gist-queue-polling-interval': String(pollSeconds) };
    return taggedAnswer(headers['if-none-match'], body, interval);
  };
}

export function agentOf(headers: IncomingHttpHeaders): string | null {
  return headers['user-agent']?.slice(0, TEXT_CHARS_MAX) ?? null;
}

/**
 * On-site messages in one process: the service's processor in a harness, behind the gateway's own server. What a page does
 * goes in over HTTP and as events; what is told of it comes out decoded. Nothing of the service itself is faked.
 */
import type { FastifyInstance } from 'fastify';
import { toWorkspace } from '../../../schemas/ids.ts';
import { laneKey } from '../../../schemas/lanes.ts';
import { mergedEvent } from '../../../schemas/merged-event.ts';
import type {
  CollectedEvent,
  IdentityDecision,
  InAppRequest,
  MessageEvent,
} from '../../../schemas/records.ts';
import { requestOf } from '../../gateway/in-app-calls.ts';
import { inAppServiceWith } from '../../in-app/service.ts';
import { Polls } from '../../in-app/polls.ts';
import { Tables } from '../../runtime/tables.ts';
import type { InAppCall, OnSiteOptions } from '../../on-site/plugin.ts';
import { collectedEvent } from '../collected-event.ts';
import { siteId, testServer } from '../gateway-server.ts';
import {
  given,
  of,
  ProcessorHarness,
  type Given,
  type HarnessOptions,
  type Output,
} from '../processor-harness.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** A Monday noon in the past; tests count from here. */
export const T0 = Date.UTC(2026, 0, 5, 12);
export const WORKSPACE = toWorkspace('shop');
export const SHOP = 'https://shop.example/';

export const modal = { kind: 'modal', title: 'Hello', actions: [{ name: 'go', label: 'Go', url: '/go' }] };

export function laneOf(anonymousId: string): string {
  return laneKey(WORKSPACE, { anonymousId, identifier: null, messageId: '' });
}

export interface Did {
  readonly who?: string;
  readonly name?: string | null;
  readonly type?: CollectedEvent['type'];
  readonly at: number;
  readonly id?: string;
  readonly properties?: object;
  readonly context?: object;
  readonly userId?: string;
  /** As the gateway marks what a program did. */
  readonly isBot?: boolean;
}

let messages = 0;

export function did({
  who = 'ann',
  name = 'Added to Cart',
  type = 'event',
  at,
  ...more
}: Did): Given<'eventsCollected'> {
  const event = collectedEvent({
    type,
    name,
    workspace: WORKSPACE,
    anonymous_id: who,
    received_at: at,
    timestamp: at,
    message_id: more.id ?? `m${String((messages += 1))}`,
    identifier_kind: more.userId === undefined ? 'none' : 'id',
    identifier: more.userId ?? null,
    properties: more.properties === undefined ? null : JSON.stringify(more.properties),
    context: more.context === undefined ? null : JSON.stringify(more.context),
    bot: more.isBot === true,
  });
  return given('eventsCollected', laneOf(who), event);
}

export function viewed(url: string, at: number, who = 'ann'): Given<'eventsCollected'> {
  return did({ who, name: url, type: 'page', at, properties: { url }, context: { page: { url } } });
}

/** Identity has granted the claim of a lane, or says something else of a person. */
export function decided(fields: Partial<IdentityDecision>): Given<'identityDecisions'> {
  return given('identityDecisions', fields.lane ?? '', {
    kind: 'granted',
    workspace: WORKSPACE,
    lane: null,
    request_number: 0,
    person_id: null,
    other_person_id: null,
    claimed_at: null,
    person_created: false,
    identifier_kind: 'none',
    identifier: null,
    reason: null,
    fact_number: null,
    detail: null,
    known_as_of: null,
    known_id: null,
    known_email: null,
    ...fields,
  });
}
export function claimed(who: string, personId: string, at: number): Given<'identityDecisions'> {
  return decided({ lane: laneOf(who), person_id: personId, claimed_at: at });
}

/** Something on a person's stream. */
export function merged(personId: string, event: Given<'eventsCollected'>, at: number): Given<'eventsMerged'> {
  const named = { kind: 'event', workspace: WORKSPACE, person_id: personId, merged_at: at } as const;
  const value = mergedEvent({ ...named, event: event.value ?? null });
  return given('eventsMerged', `${WORKSPACE}:${personId}`, value);
}

export const VISITORS_AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0';

export class InAppRig {
  readonly harness: ProcessorHarness;
  readonly server: FastifyInstance;
  /** Looks that polls asked for are taken at once, unless a test holds them back. */
  isHoldingBack = false;
  readonly heldBack: Given<'inAppRequests'>[] = [];
  /** What the routes are given, for tests that need no HTTP. */
  readonly onSite: Pick<OnSiteOptions, 'view' | 'calls'>;
  /** Of the shops: what texts look up. */
  readonly tables = new Tables();
  readonly #polls = new Polls(1, this.tables);
  #time = 0;
  #clock = T0;

  constructor(options: HarnessOptions = {}) {
    const spec = inAppServiceWith((_partition, processor) => {
      this.#polls.opened(0, processor);
    });
    this.harness = new ProcessorHarness(spec, { partitions: 1, ...options });
    const { polls, why } = this.#polls.actions;
    const asked = async (action: typeof polls, body: unknown): Promise<unknown> =>
      await action?.(Buffer.from(JSON.stringify(body)));
    this.onSite = {
      view: {
        poll: async (one) => ((await asked(polls, [one])) as never[])[0] as never, // polls.ts answers in the order asked
        why: (one) => asked(why, one),
      },
      calls: {
        send: (call) => {
          this.#take(call);
          return Promise.resolve();
        },
        decide: (call) => {
          const [answer] = of('inAppAnswers', this.#take(call));
          return answer === undefined
            ? Promise.reject(new Error('no answer'))
            : Promise.resolve(answer.value);
        },
      },
    };
    this.server = testServer({ testClock: true, onSite: this.onSite }).server;
  }

  close(): Promise<void> {
    return this.server.close();
  }

  /** Puts a message in force; it runs and is a modal unless said otherwise. */
  message(id: string, rest: object = {}): this {
    this.harness.define('message', WORKSPACE, id, { name: id, state: 'running', content: modal, ...rest });
    this.feed();
    return this;
  }

  feed(...records: readonly Given[]): Output[] {
    const time = (this.#time += 1);
    const outputs = this.harness.batch(time, ...records);
    // What goes from a person to another, and from a visitor to a person, comes back as input.
    const transfers = of('inAppTransfers', outputs).map(({ key, value }) =>
      given('inAppTransfers', key, value),
    );
    return transfers.length === 0 ? outputs : [...outputs, ...this.feed(...transfers)];
  }

  /** Everything told so far, as `event` or `event reason`, of a message if one is named. */
  told(messageId?: string): string[] {
    return this.events(messageId).map(({ event, reason, action }) =>
      [event, reason ?? action].filter((part) => part !== null).join(' '),
    );
  }
  events(messageId?: string): MessageEvent[] {
    return of('messagesLogged', this.harness.outputs)
      .map(({ value }) => value)
      .filter((value) => messageId === undefined || value.message_id === messageId);
  }

  async poll(at: number, { who = 'ann', ...more }: Record<string, string> = {}) {
    const query = { site_id: siteId, anonymous_id: who, page: SHOP, ...more };
    const response = await this.server.inject({
      method: 'GET',
      url: '/v1/in-app/queue',
      query,
      headers: this.#receivedAt(at),
    });
    const { messages: offered = [], poll_seconds: seconds } = response.json<{
      messages?: { message_id: string; variant: string; content: Record<string, unknown> }[];
      poll_seconds: number;
    }>();
    return {
      ids: offered.map(({ message_id: id }) => id),
      offered,
      seconds,
      status: response.statusCode,
      response,
    };
  }

  async show(messageId: string, at: number, more: Record<string, unknown> = {}) {
    const { who = 'ann', exposure = `e${String((messages += 1))}`, ...rest } = more;
    const body = { message_id: messageId, exposure, anonymous_id: who, page: SHOP, ...rest };
    const answer = await this.post('/v1/in-app/shows', body, at);
    return { exposure, ...answer.json<{ show: boolean; reason?: string; variant?: string }>() };
  }

  async report(messageId: string, exposure: unknown, at: number, more: Record<string, unknown> = {}) {
    const { who = 'ann', event = 'dismissed', ...rest } = more;
    const body = { message_id: messageId, exposure, anonymous_id: who, event, ...rest };
    return (await this.post('/v1/in-app/reports', body, at)).json<{ taken: boolean; reason?: string }>();
  }

  async why(messageId: string, at: number, query: Record<string, string> = {}) {
    const response = await this.server.inject({
      method: 'GET',
      url: `/v1/explain/messages/${messageId}`,
      query: { anonymous_id: 'ann', ...query },
      headers: { authorization: 'Bearer appkey', ...this.#receivedAt(at) },
    });
    return response;
  }

  post(url: string, body: object, at: number, headers: Record<string, string> = {}) {
    return this.server.inject({
      method: 'POST',
      url,
      payload: JSON.stringify({ site_id: siteId, ...body }),
      headers: { 'content-type': 'text/plain', ...this.#receivedAt(at), ...headers },
    });
  }

  /** A clock that went on: calls of an earlier time would be told that they are too old. */
  #receivedAt(at: number): Record<string, string> {
    this.#clock = Math.max(this.#clock, at);
    return { 'x-hindsight-received-at': new Date(at).toISOString(), 'user-agent': VISITORS_AGENT };
  }

  #take(call: InAppCall): Output[] {
    const request: InAppRequest = requestOf(call);
    const record = given('inAppRequests', laneOf(call.anonymousId), request);
    if (this.isHoldingBack && call.kind === 'look') {
      this.heldBack.push(record);
      return [];
    }
    return this.feed(record);
  }
}

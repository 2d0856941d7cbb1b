/** Given / when / then for the lanes of one partition: a visitor's calls go in, identity's answers are played. Tests only. */
import { identityDecision } from '../../../schemas/identity-decision.ts';
import type { CollectedEvent, IdentityDecision, IdentityRequest } from '../../../schemas/records.ts';
import { collectedEvent } from '../collected-event.ts';
import {
  given,
  of,
  ProcessorHarness,
  type Given,
  type HarnessOptions,
  type Output,
} from '../processor-harness.ts';
import { lanesService } from '../../merger/service.ts';

export const T = 1_700_000_000_000;
export const SECOND = 1_000;
export const DAY = 86_400 * SECOND;

type Fields = Partial<CollectedEvent>;

export class LaneScenario {
  readonly harness: ProcessorHarness;
  time = T - 60 * DAY;

  constructor(options: HarnessOptions = {}, spec = lanesService) {
    this.harness = new ProcessorHarness(spec, { partitions: 1, ...options });
  }

  /** One batch; the clock follows the latest receive time. */
  batch(...records: readonly Given[]): Output[] {
    for (const { topic, value } of records) {
      if (topic === 'eventsCollected') this.time = Math.max(this.time, (value as CollectedEvent).received_at);
    }
    return this.harness.batch(this.time, ...records);
  }
  idle(): Output[] {
    return this.harness.idle(this.time);
  }
}

/** An event of a visitor; the message id is its name unless given. */
export function visit(anonymousId: string, name: string, receivedAt: number, fields: Fields = {}): Given {
  const event = { anonymous_id: anonymousId, message_id: name, name, received_at: receivedAt, ...fields };
  return given('eventsCollected', `default:a:${anonymousId}`, collectedEvent(event));
}
export function track(anonymousId: string, id: string, name: string, receivedAt: number): Given {
  return visit(anonymousId, name, receivedAt, { identifier_kind: 'id', identifier: id });
}
export function identify(anonymousId: string, id: string, receivedAt: number, fields: Fields = {}): Given {
  const call = { type: 'identify', id, identifier_kind: 'id', identifier: id } as const;
  return visit(anonymousId, `identify ${id}`, receivedAt, { ...call, ...fields });
}

/** Identity's answer to a request. */
export function answer(
  request: IdentityRequest,
  kind: 'granted' | 'resolved' | 'refused',
  fields: Partial<IdentityDecision> = {},
): Given {
  return given('identityDecisions', request.lane ?? '', {
    ...news('granted'),
    kind,
    workspace: request.workspace,
    lane: request.lane,
    request_number: request.request_number,
    person_id: kind === 'refused' ? null : `cio_${request.identifier ?? ''}`,
    claimed_at: kind === 'granted' ? request.received_at : null,
    ...fields,
  });
}
export function news(
  kind: IdentityDecision['kind'],
  fields: Partial<IdentityDecision> = {},
): IdentityDecision {
  return identityDecision({ kind, workspace: 'default', ...fields });
}

export function requests(outputs: readonly Output[]): readonly IdentityRequest[] {
  return of('identityRequests', outputs).map(({ value }) => value);
}
/** Claims are granted and identifiers resolved, each person named by the identifier. */
export function grant(outputs: readonly Output[]): Given[] {
  return requests(outputs).map((request) =>
    answer(request, request.kind === 'claim' ? 'granted' : 'resolved'),
  );
}

/** `person: message` for each merged event, with * when it was anonymous before. */
export function merged(outputs: readonly Output[]): readonly string[] {
  return of('eventsMerged', outputs).map(({ value }) => {
    const mark = value.previously_anonymous ? '*' : '';
    return `${value.person_id}: ${value.event?.message_id ?? ''}${mark}`;
  });
}
export function dropped(outputs: readonly Output[]): readonly string[] {
  return of('eventsDropped', outputs).map(({ value }) => `${value.reason}: ${value.message_id ?? ''}`);
}

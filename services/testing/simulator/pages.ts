/**
 * Pages of the shop's visitors: what they ask of on-site messages while everything fails. Nobody has told them what may be
 * shown, so they ask for whatever there is, in several tabs, again when no answer came, and report what they were refused.
 */
import type { Codecs } from '../../../schemas/codec.ts';
import { laneKey } from '../../../schemas/lanes.ts';
import { partitionOf } from '../../../schemas/partitioner.ts';
import type { InAppRequest } from '../../../schemas/records.ts';
import type { Workspace } from '../../../schemas/ids.ts';
import type { MemoryBroker } from '../memory/memory-broker.ts';
import type { Random } from '../random.ts';
import type { VirtualTime } from '../virtual-time.ts';

export interface PagesOptions {
  readonly workspace: Workspace;
  /** Anonymous ids of those who look at pages. */
  readonly visitors: readonly string[];
  readonly asks: number;
  readonly spanMs: number;
  readonly time: VirtualTime;
  readonly broker: MemoryBroker;
  readonly codecs: Codecs;
  readonly random: Random;
  readonly startMs: number;
}

/** What bounds a message, as its definition says it. */
export interface MessageBounds {
  readonly id: string;
  readonly times: number;
  readonly gapMs: number;
  readonly session: number;
  readonly day: number;
  readonly capGapMs: number;
  readonly group: string | undefined;
}

const MESSAGES = ['one', 'two', 'three'];
const GAPS_S = [0, 2, 8];
const content = { kind: 'modal', title: 'Hello {{ last_item.name }}' };

export class Pages {
  readonly bounds: readonly MessageBounds[];
  /** Every show that a page has sent, by the id of its request. */
  readonly shows = new Map<string, InAppRequest>();
  readonly #options: PagesOptions;
  readonly #sent: InAppRequest[] = [];
  done = false;

  constructor(options: PagesOptions) {
    this.#options = options;
    const { random } = options;
    this.bounds = MESSAGES.map((id) => ({
      id,
      times: random.chance(0.5) ? random.between(1, 4) : Infinity,
      gapMs: 1_000 * (random.pick(GAPS_S) ?? 0),
      session: random.chance(0.4) ? random.between(1, 3) : Infinity,
      day: random.chance(0.4) ? random.between(1, 3) : Infinity,
      capGapMs: 1_000 * (random.pick(GAPS_S) ?? 0),
      group: random.chance(0.5) ? 'nudges' : undefined,
    }));
  }

  define(): void {
    const { workspace, broker, codecs, random, startMs } = this.#options;
    for (const bounds of this.bounds) {
      const variants = ['a', 'b'].map((id) => ({ id, weight: 1, content }));
      const holdout = random.chance(0.5) ? 0.3 : 0;
      const body = { name: bounds.id, state: 'running', variants, holdout, ...saidOf(bounds) };
      const value = codecs.Definition.encode({
        kind: 'message',
        workspace,
        id: bounds.id,
        version: 1,
        deleted: false,
        at: startMs,
        body: JSON.stringify(body),
      });
      const key = Buffer.from(`${workspace}/message/${bounds.id}`);
      broker.append([{ topic: 'definitions', partition: 0, key, value }]);
    }
  }

  async run(): Promise<void> {
    const { time, random, asks, spanMs, visitors } = this.#options;
    for (let count = 0; count < (visitors.length === 0 ? 0 : asks); count += 1) {
      await time.sleep(random.below((2 * spanMs) / asks));
      const again = random.chance(0.15) ? random.pick(this.#sent) : undefined;
      this.#send(again ?? this.#next());
    }
    this.done = true;
  }

  #next(): InAppRequest {
    const { random, time, startMs, workspace, visitors } = this.#options;
    const what = random.next();
    const who = random.pick(visitors) ?? '';
    const message = random.pick(MESSAGES) ?? '';
    const kind = what < 0.15 ? 'look' : what < 0.75 ? 'show' : 'report';
    const request: InAppRequest = {
      kind,
      workspace,
      anonymous_id: who,
      request_id: `r${String(this.#sent.length)}`,
      at: startMs + Math.floor(time.monotonicMs()),
      message_id: kind === 'look' ? null : message,
      // Few enough that some are asked for by two tabs, and reported before they are shown.
      exposure: kind === 'look' ? null : `${who}-${message}-${String(random.below(12))}`,
      variant: null,
      event: kind === 'report' ? random.pick(['clicked', 'dismissed', 'snoozed', 'submitted']) : null,
      action: null,
      page: 'https://shop.example/',
      path: '/',
      agent: null,
      identified: false,
      minutes: null,
      consent: null,
      linked_id: null,
      any_page: false,
      unfilled: [],
    };
    // What ends a message for ever tries none of its bounds.
    return request.event === 'dismissed' && !random.chance(0.2) ? { ...request, event: 'clicked' } : request;
  }

  #send(request: InAppRequest): void {
    const { broker, codecs, workspace } = this.#options;
    this.#sent.push(request);
    if (request.kind === 'show') this.shows.set(request.request_id, request);
    const lane = laneKey(workspace, { anonymousId: request.anonymous_id, identifier: null, messageId: '' });
    const partition = partitionOf(lane, broker.partitions);
    const value = codecs.InAppRequest.encode(request);
    broker.append([{ topic: 'inAppRequests', partition, key: Buffer.from(lane), value }]);
  }
}

function saidOf({ times, gapMs, session, day, capGapMs, group }: MessageBounds): object {
  const frequency =
    times === Infinity ? { mode: 'always' } : { times, ...(gapMs > 0 && { gap: duration(gapMs) }) };
  const caps = {
    ...(session !== Infinity && { session }),
    ...(day !== Infinity && { day }),
    ...(capGapMs > 0 && { gap: duration(capGapMs) }),
    ...(group !== undefined && { group }),
  };
  return { frequency, caps, suppress: [] };
}

function duration(ms: number): string {
  return `PT${String(ms / 1_000)}S`;
}

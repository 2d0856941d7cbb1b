/**
 * A shop with a workspace of its own whose people are merged, deleted, suppressed and split while everything fails. It
 * makes one call after the other through gateways that die, each again until it is acknowledged, and tells the model's
 * oracle of each. Kept inside what is certain whatever lanes do among each other: a call that names a person by id and
 * email names both of the same person.
 */
import type { Codecs } from '../../../schemas/codec.ts';
import type { Workspace } from '../../../schemas/ids.ts';
import { laneKey, type Identifier } from '../../../schemas/lanes.ts';
import { plainIntake } from '../plain-intake.ts';
import { deliverTo, type Deliver } from '../../ingest/deliver.ts';
import { duplicatesMs } from '../../merger/decide/limits.ts';
import type { ControlCall, LaneCall } from '../model/calls.ts';
import { partner } from '../model/history.ts';
import { Oracle } from '../model/oracle.ts';
import { eventOf, requestOf } from '../model/wire.ts';
import { defaultSettings } from '../../runtime/workspace-settings.ts';
import type { MemoryBroker } from '../memory/memory-broker.ts';
import { MemoryLog } from '../memory/memory-log.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Weather } from './bad-luck.ts';
import type { Random } from '../random.ts';

export interface ClientOptions {
  readonly workspace: Workspace;
  readonly calls: number;
  readonly time: VirtualTime;
  readonly broker: MemoryBroker;
  readonly codecs: Codecs;
  readonly random: Random;
  readonly weather: Weather;
}

const PEOPLE = 3;
const visitors = ['x', 'y', 'z'] as const;
const PAUSE_MS_MAX = 2_000;
const REQUEST_MS_MAX = 300;
const DEATH_PROBABILITY = 0.15;
const REPEAT_PROBABILITY = 0.08;
const BEHIND_MS_MAX = 120_000;
const CONTROL_NUMBERS = 2 ** 40;

export class Client {
  readonly oracle: Oracle;
  readonly #options: ClientOptions;
  readonly #sent: LaneCall[] = [];
  #messages = 0;
  /** Gateways that died with a control call half taken. */
  deaths = 0;
  controls = 0;
  done = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.oracle = new Oracle(options.workspace, duplicatesMs);
  }

  async run(): Promise<void> {
    const { time, random, calls } = this.#options;
    this.oracle.take({ type: 'settings', settings: defaultSettings, receivedAt: time.now() });
    for (let count = 0; count < calls; count += 1) {
      await time.sleep(random.below(PAUSE_MS_MAX));
      const call = this.#next();
      if ('lane' in call) await this.#send(call);
      else await this.#control(call);
    }
    this.done = true;
  }

  async #send(call: LaneCall): Promise<void> {
    const gateway = this.#gateway();
    await gateway([{ type: 'event', event: eventOf(call, this.#options.workspace) }]);
    this.#sent.push(call);
    this.oracle.take(call);
  }

  /** Again while its gateway dies: then nobody has told the client that the call was taken, though it may have been. */
  async #control(call: ControlCall): Promise<void> {
    const { random, weather, time, workspace, broker } = this.#options;
    this.controls += 1;
    const request = requestOf(call, workspace);
    while (!weather.calm && random.chance(DEATH_PROBABILITY)) {
      // It dies with one of the markers, or with the call itself, on the log or just not.
      const last = random.below(broker.partitions + 1);
      const lands = random.chance(0.5);
      const dies = this.#gateway({ last, lands });
      void dies([{ type: 'control', request }]);
      await time.sleep((broker.partitions + 1) * REQUEST_MS_MAX);
      this.deaths += 1;
      this.oracle.take(
        last === broker.partitions && lands ? call : { type: 'lost', receivedAt: call.receivedAt },
      );
    }
    await this.#gateway()([{ type: 'control', request }]);
    this.oracle.take(call);
  }

  /** @param death with which of its sends it dies. */
  #gateway(death?: { readonly last: number; readonly lands: boolean }): Deliver {
    const { broker, codecs, random, time, weather } = this.#options;
    let sends = 0;
    const log = new MemoryLog(broker, {
      delayMs: () => (weather.calm ? 1 : random.below(REQUEST_MS_MAX)),
      fault: (request) => {
        if (request !== 'produce' || death === undefined) return 'none';
        sends += 1;
        if (sends <= death.last) return 'none';
        return death.lands ? 'die_after' : 'die_before';
      },
    });
    const producer = log.producer();
    return async (outcomes) => {
      const deliver = deliverTo({
        producer: await producer,
        intake: plainIntake(await producer),
        admin: log.admin,
        codecs,
        monotonicMs: () => time.monotonicMs(),
        newNumber: () => 1 + random.below(CONTROL_NUMBERS),
      });
      await deliver(outcomes);
    };
  }

  #next(): LaneCall | ControlCall {
    const { random, time } = this.#options;
    const receivedAt = time.now();
    const repeated = random.chance(REPEAT_PROBABILITY) ? random.pick(this.#sent) : undefined;
    if (repeated !== undefined) return { ...repeated, receivedAt };
    const what = random.next();
    if (what < 0.35) return this.#laneCall({ visitor: this.#visitor(), named: null });
    if (what < 0.55) return this.#laneCall({ visitor: this.#visitorOrNone(), named: this.#name() });
    if (what < 0.8) return this.#identify();
    if (what < 0.86) return { type: 'delete', named: this.#name(), receivedAt };
    if (what < 0.91)
      return { type: random.chance(0.5) ? 'suppress' : 'unsuppress', named: this.#name(), receivedAt };
    const named = this.#name();
    if (what < 0.96)
      return { type: 'merge', primary: named, secondary: this.#name(), alias: false, receivedAt };
    const anonymousIds = visitors.filter(() => random.chance(0.3));
    const identifiers = random.chance(0.7) ? [this.#name()] : [];
    const into = random.chance(0.5) ? this.#name() : null;
    return { type: 'split', from: named, anonymousIds, identifiers, into, receivedAt };
  }

  #identify(): LaneCall {
    const named = this.#name();
    const other = this.#options.random.chance(0.6) ? partner(named) : null;
    const also = other === null ? [] : [other];
    return this.#laneCall({ type: 'identify', visitor: this.#visitorOrNone(), named, also });
  }

  #laneCall(
    fields: Pick<LaneCall, 'visitor' | 'named'> & Partial<Pick<LaneCall, 'type' | 'also'>>,
  ): LaneCall {
    const { random, time, workspace } = this.#options;
    this.#messages += 1;
    const messageId = `m${String(this.#messages)}`;
    const receivedAt = time.now();
    const timestamp = receivedAt - (random.chance(0.3) ? random.below(BEHIND_MS_MAX) : 0);
    const { visitor, named } = fields;
    const lane = laneKey(workspace, { anonymousId: visitor, identifier: named, messageId });
    const call = {
      type: 'event' as const,
      also: [],
      updateOnly: false,
      lane,
      messageId,
      receivedAt,
      timestamp,
    };
    return { ...call, ...fields };
  }

  #visitor(): string {
    return this.#options.random.pick(visitors);
  }
  #visitorOrNone(): string | null {
    return this.#options.random.chance(0.7) ? this.#visitor() : null;
  }
  #name(): Identifier {
    const { random } = this.#options;
    const id = `p${String(1 + random.below(PEOPLE))}`;
    return random.chance(0.5) ? { kind: 'id', value: id } : { kind: 'email', value: `${id}@x.org` };
  }
}

/** Plays a history: through the merger under a schedule, and through the oracle. For the model test only. */
import { canonicalIdentifier, identifierByShape, laneKey, type Identifier } from '../../../schemas/lanes.ts';
import { assert } from '../../runtime/errors.ts';
import type { Person as GraphPerson } from '../../identity/graph/graph-rows.ts';
import { duplicatesMs } from '../../merger/decide/limits.ts';
import type { Call, LaneCall } from './calls.ts';
import {
  partner,
  settingsAfter,
  settingsAtStart,
  type Draft,
  type History,
  type LaneFields,
} from './history.ts';
import { InFlight } from './in-flight.ts';
import { Oracle } from './oracle.ts';
import { World, WORKSPACE } from './world.ts';

const START = 1_700_000_000_000;

export interface Played {
  readonly world: World;
  readonly oracle: Oracle;
  /** The calls as they were made, with the cio_ids that people were given. */
  readonly calls: readonly Call[];
}

export function play(history: History, choices: readonly number[]): Played {
  const performance = new Performance(history);
  let at = 0;
  let now = START;
  for (const { draft, waitMs } of history.steps) {
    now += waitMs;
    for (const call of performance.callsOf(draft, now)) performance.make(call);
    for (let steps = (choices[at] ?? 0) % 4; steps > 0; steps -= 1, at += 1) {
      performance.world.step(choices[at] ?? 0);
    }
    at += 1;
  }
  for (; at < choices.length; at += 1) performance.world.step(choices[at] ?? 0);
  performance.world.settle();
  return performance;
}

class Performance implements Played {
  readonly world = new World();
  readonly oracle = new Oracle(WORKSPACE, duplicatesMs);
  readonly calls: Call[] = [];
  readonly #inFlight = new InFlight(this.oracle);
  readonly #cioIds = new Map<string, Identifier>();

  constructor(history: History) {
    this.make({ type: 'settings', settings: settingsAtStart(history), receivedAt: START });
  }

  make(call: Call): void {
    if (this.#inFlight.mustWait(call)) this.#settle();
    this.calls.push(call);
    if (call.type === 'settings') this.world.define(call);
    else this.world.ingest(call);
    this.#inFlight.taking(call, () => {
      this.oracle.take(call);
    });
  }

  /** An alias is two calls. */
  callsOf(draft: Draft, now: number): readonly Call[] {
    const receivedAt = now;
    switch (draft.type) {
      case 'visit':
        return [laneCall(draft.fields, now, {})];
      case 'track':
        return [laneCall(draft.fields, now, { named: this.#real(draft.named) })];
      case 'identify': {
        const named = this.#real(draft.named);
        const also = this.#also(draft, named);
        return [laneCall(draft.fields, now, { type: 'identify', named, also, updateOnly: draft.updateOnly })];
      }
      case 'alias':
        return this.#alias(draft, now);
      case 'merge': {
        const [primary, secondary] = [this.#canonical(draft.named), this.#canonical(draft.other)];
        return [{ type: 'merge', primary, secondary, alias: false, receivedAt }];
      }
      case 'split': {
        const { visitors: anonymousIds, names, into } = draft;
        const identifiers = names.map((each) => this.#canonical(each));
        const from = this.#canonical(draft.named);
        const to = into && this.#canonical(into);
        return [{ type: 'split', from, anonymousIds, identifiers, into: to, receivedAt }];
      }
      case 'settings':
        return [
          { type: 'settings', settings: settingsAfter(this.oracle.settings, draft.change), receivedAt },
        ];
      case 'lost':
        return [{ type: 'lost', receivedAt }];
      default:
        return [{ type: draft.type, named: this.#canonical(draft.named), receivedAt }];
    }
  }

  #alias({ fields, named, previous }: Draft & { type: 'alias' }, now: number): readonly Call[] {
    const user = this.#real(named);
    const other = identifierByShape(previous);
    const [primary, secondary] = [canonicalIdentifier(user), canonicalIdentifier(other)];
    const merge: Call = { type: 'merge', primary, secondary, alias: other.kind === 'id', receivedAt: now };
    if (other.kind !== 'id') return [merge];
    const claim = laneCall({ ...fields, visitor: other.value }, now, { type: 'identify', named: user });
    return [claim, { ...merge, receivedAt: claim.receivedAt }];
  }

  #also({ also }: Draft & { type: 'identify' }, named: Identifier): readonly Identifier[] {
    if (also === 'partner') return [partner(named)].filter((each) => each !== null);
    const real = also.map((each) => this.#real(each));
    const kinds = ['cio_id', 'id', 'email'] as const;
    const oneAKind = kinds.map((kind) => real.find((each) => each.kind === kind));
    const path = canonicalIdentifier(named);
    return oneAKind
      .filter((each) => each !== undefined)
      .filter((each) => each.kind !== path.kind || canonicalIdentifier(each).value !== path.value);
  }

  #canonical(identifier: Identifier): Identifier {
    return canonicalIdentifier(this.#real(identifier));
  }

  /** Whose cio_id it is is settled when it is first said of somebody who is there, and then for ever. */
  #real(identifier: Identifier): Identifier {
    if (identifier.kind !== 'cio_id') return identifier;
    const known = this.#cioIds.get(identifier.value);
    if (known !== undefined) return known;
    const id: Identifier = { kind: 'id', value: identifier.value.replace(/^of /u, '') };
    const names = [id, partner(id)].filter((each) => each !== null);
    const name = names.find((each) => this.oracle.people.owner(each) !== undefined);
    const person = name && this.oracle.people.owner(name);
    if (name === undefined || person === undefined) return { kind: 'cio_id', value: 'cio_nobody' };
    this.#settle();
    const { graph } = this.world;
    const found = (each: Identifier): GraphPerson => {
      const there = graph.find(each);
      assert(there !== undefined, `somebody is called ${each.value}, as the oracle says`);
      return there;
    };
    const real: Identifier = { kind: 'cio_id', value: found(name).personId };
    this.oracle.people.bind(real.value, person);
    this.oracle.people.renumber((each) => found(each).number);
    this.#cioIds.set(identifier.value, real);
    return real;
  }

  #settle(): void {
    this.world.settle();
    this.#inFlight.clear();
  }
}

function laneCall(
  { visitor, message, lateMs, behindMs }: LaneFields,
  now: number,
  parts: Partial<Pick<LaneCall, 'type' | 'named' | 'also' | 'updateOnly'>>,
): LaneCall {
  const { type = 'event', named = null, also = [], updateOnly = false } = parts;
  const messageId = `m${String(message)}`;
  const lane = laneKey(WORKSPACE, { anonymousId: visitor, identifier: named, messageId });
  const receivedAt = now - lateMs;
  return {
    type,
    lane,
    visitor,
    named,
    also,
    updateOnly,
    messageId,
    receivedAt,
    timestamp: receivedAt - behindMs,
  };
}

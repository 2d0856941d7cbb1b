/** People of a partition in its keyed store: `p:` the person, `a:` the profile. */
import type { Codecs } from '../../schemas/codec.ts';
import type { KeyedStore } from '../runtime/store/ports.ts';
import type { Emitter } from '../runtime/task/ports.ts';
import type { Decision, Subject } from './decide/subject.ts';
import { HeldTriggerStore } from './held-trigger-store.ts';
import { emitEffect, type Whose } from './outputs.ts';
import { newProfile, type Profile } from './decide/profile.ts';
import { decodeProfile, encodeProfile } from './decide/profile-codec.ts';
import type { Person } from './decide/state.ts';
import { changesAtOf, decodePerson, encodePerson } from './decide/state-codec.ts';

/** When a person has to be looked at again: was, and is now, ms; Infinity for never. */
type Looked = (personKey: string, from: number, to: number) => void;

/** About as much of the machine as a unit of share.ts, as measured. */
const patternStepsAUnit = 7;

export class PeopleStore {
  readonly #store: KeyedStore;
  readonly #codecs: Codecs;
  readonly #looked: Looked;
  readonly #held: HeldTriggerStore;
  /** Who was read last, and how much that was. */
  #readKey = '';
  /** Of all decisions since they were last asked for. */
  #patternSteps = 0;
  #readBytes = 0;

  constructor(store: KeyedStore, codecs: Codecs, looked: Looked) {
    this.#store = store;
    this.#codecs = codecs;
    this.#looked = looked;
    this.#held = new HeldTriggerStore(store);
  }

  /** Units of share.ts that patterns took since this was last asked. */
  takePatternUnits(): number {
    const steps = this.#patternSteps;
    this.#patternSteps = 0;
    return Math.ceil(steps / patternStepsAUnit);
  }

  stored(personKey: string): Buffer | undefined {
    const stored = this.#store.get(`p:${personKey}`);
    this.#readKey = personKey;
    this.#readBytes = stored?.length ?? 0;
    return stored;
  }

  /** ms; Infinity for never. */
  changesAt(personKey: string): number {
    const stored = this.#store.get(`p:${personKey}`);
    return stored === undefined ? Infinity : changesAtOf(stored);
  }

  person(personKey: string): Person | undefined {
    const stored = this.stored(personKey);
    return stored && decodePerson(stored);
  }

  subject(
    { personId, personKey }: Whose,
    person: Person | undefined,
    { rules, readTo }: Pick<Subject, 'rules' | 'readTo'>,
  ): Subject {
    let stored: Profile | undefined;
    const storedBytes = personKey === this.#readKey ? this.#readBytes : 0;
    const profile = () => (stored ??= this.#profile(personKey));
    const heldTriggers: Subject['heldTriggers'] = (range, from, to) =>
      this.#held.read(personKey, range, from, to);
    return { personId, person, rules, readTo, storedBytes, profile, heldTriggers };
  }

  /** Keeps what was decided and writes its effects. */
  settle(whose: Whose, before: Person | undefined, decision: Decision, out: Emitter): void {
    const { personKey } = whose;
    if (decision.person !== before) {
      this.#store.put(`p:${personKey}`, encodePerson(decision.person));
      this.#looked(personKey, before?.changesAt ?? Infinity, decision.person.changesAt);
    }
    if (decision.profile !== undefined) {
      this.#store.put(`a:${personKey}`, encodeProfile(decision.profile));
    }
    this.#patternSteps += decision.patternSteps ?? 0;
    for (const effect of decision.effects) {
      switch (effect.type) {
        case 'trigger_held':
          this.#held.put(personKey, effect.range, effect.place, effect.trigger);
          break;
        case 'triggers_let_go':
          this.#held.forget(personKey, effect.range, effect.from, effect.to);
          break;
        default:
          emitEffect(effect, whose, this.#codecs, out);
      }
    }
  }

  forgetProfile(personKey: string): void {
    this.#store.delete(`a:${personKey}`);
  }

  #profile(personKey: string): Profile {
    const stored = this.#store.get(`a:${personKey}`);
    return stored === undefined ? newProfile : decodeProfile(stored);
  }
}

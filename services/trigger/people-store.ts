/** People of a partition in its keyed store: `p:` the person, `a:` the profile. */
import type { Codecs } from '../../schemas/codec.ts';
import { parseExactly } from '../runtime/exact-json.ts';
import type { KeyedStore } from '../runtime/store/ports.ts';
import type { Emitter } from '../runtime/task/ports.ts';
import type { Decision, Subject } from './decide/subject.ts';
import { HeldTriggerStore } from './held-trigger-store.ts';
import type { ObjectBook } from './object-book.ts';
import { emitEffect, type Whose } from './outputs.ts';
import { newProfile, type Profile } from './decide/profile.ts';
import type { Person } from './decide/state.ts';
import { changesAtOf, decodePerson, encodePerson } from './decide/state-codec.ts';

/** When a person has to be looked at again: was, and is now, ms; Infinity for never. */
type Looked = (personKey: string, from: number, to: number) => void;

/** About as much of the machine as a unit of share.ts, as measured. */
const stepsAUnit = 7;
/** A person of usual size is counted with the record; a state of many rules is read and written whole with each. */
const personBytesFree = 4_096;
const personBytesAUnit = 400;

export class PeopleStore {
  readonly #store: KeyedStore;
  readonly #codecs: Codecs;
  readonly #objects: ObjectBook;
  readonly #looked: Looked;
  readonly #held: HeldTriggerStore;
  /** Who was read last, and how much that was. */
  #readKey = '';
  /** Of all decisions since they were last asked for. */
  #steps = 0;
  /** Of people beyond the usual size, read and written since then. */
  #personBytes = 0;
  #readBytes = 0;

  constructor(store: KeyedStore, codecs: Codecs, objects: ObjectBook, looked: Looked) {
    this.#store = store;
    this.#objects = objects;
    this.#codecs = codecs;
    this.#looked = looked;
    this.#held = new HeldTriggerStore(store);
  }

  /** Units of share.ts that rules, and people of many rules, took since this was last asked. */
  takeUnits(): number {
    const units = Math.ceil(this.#steps / stepsAUnit) + Math.ceil(this.#personBytes / personBytesAUnit);
    this.#steps = 0;
    this.#personBytes = 0;
    return units;
  }

  stored(personKey: string): Buffer | undefined {
    const stored = this.#store.get(`p:${personKey}`);
    this.#readKey = personKey;
    this.#readBytes = stored?.length ?? 0;
    this.#countBytes(this.#readBytes);
    return stored;
  }

  /** ms; Infinity for never. */
  changesAt(personKey: string): number {
    const stored = this.#store.get(`p:${personKey}`);
    return stored === undefined ? Infinity : changesAtOf(stored);
  }

  /** For who asks between batches: what a batch counts is the same in a replay, where nobody asks. */
  peek(personKey: string): Person | undefined {
    const stored = this.#store.get(`p:${personKey}`);
    return stored && decodePerson(stored);
  }

  person(personKey: string): Person | undefined {
    const stored = this.stored(personKey);
    return stored && decodePerson(stored);
  }

  subject(
    { workspace, personId, personKey }: Whose,
    person: Person | undefined,
    { rules, readTo }: Pick<Subject, 'rules' | 'readTo'>,
  ): Subject {
    let stored: Profile | undefined;
    const storedBytes = personKey === this.#readKey ? this.#readBytes : 0;
    const profile = () => (stored ??= this.#profile(personKey));
    const heldTriggers: Subject['heldTriggers'] = (range, from, to) =>
      this.#held.read(personKey, range, from, to);
    const objectOf: Subject['objectOf'] = (object) => this.#objects.of(workspace, object);
    return { personId, person, rules, readTo, storedBytes, profile, heldTriggers, objectOf };
  }

  /** Keeps what was decided and writes its effects. */
  settle(whose: Whose, before: Person | undefined, decision: Decision, out: Emitter): void {
    const { personKey } = whose;
    if (decision.person !== before) {
      const encoded = encodePerson(decision.person);
      this.#countBytes(encoded.length);
      this.#store.put(`p:${personKey}`, encoded);
      this.#looked(personKey, before?.changesAt ?? Infinity, decision.person.changesAt);
    }
    if (decision.profile !== undefined) {
      this.#store.put(`a:${personKey}`, Buffer.from(JSON.stringify(decision.profile)));
    }
    this.#steps += decision.patternSteps ?? 0;
    for (const effect of decision.effects) {
      switch (effect.type) {
        case 'trigger_held':
          this.#held.put(personKey, effect.range, effect.place, effect.trigger);
          break;
        case 'triggers_let_go':
          this.#held.forget(personKey, effect.range, effect.from, effect.to);
          break;
        case 'object_linked':
          this.#objects.link(personKey, effect.object);
          break;
        case 'object_unlinked':
          this.#objects.unlink(personKey, effect.object);
          break;
        default:
          emitEffect(effect, whose, this.#codecs, out);
      }
    }
  }

  #countBytes(bytes: number): void {
    this.#personBytes += Math.max(0, bytes - personBytesFree);
  }

  forgetProfile(personKey: string): void {
    this.#store.delete(`a:${personKey}`);
  }

  #profile(personKey: string): Profile {
    const stored = this.#store.get(`a:${personKey}`);
    return stored === undefined ? newProfile : (parseExactly(stored.toString()) as Profile); // written by settle
  }
}

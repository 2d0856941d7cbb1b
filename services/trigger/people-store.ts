/** People of a partition in its keyed store: `p:` the person, `a:` the profile. */
import type { Codecs } from '../../schemas/codec.ts';
import { patternStepsAUnit } from '../runtime/pattern.ts';
import type { KeyedStore } from '../runtime/store/ports.ts';
import type { Emitter } from '../runtime/task/ports.ts';
import type { ObjectOf } from './decide/objects.ts';
import type { Decision, Subject } from './decide/subject.ts';
import { HeldTriggerStore } from './held-trigger-store.ts';
import type { ObjectBook } from './object-book.ts';
import { emitEffect, type Whose } from './outputs.ts';
import { newProfile, type Profile } from './decide/profile.ts';
import { decodeProfile, encodeProfile } from './decide/profile-codec.ts';
import type { Person } from './decide/state.ts';
import { changesAtOf, decodePerson, encodePerson } from './decide/state-codec.ts';
import { timerTimeOf } from './timers.ts';

/** Told where a person's timer is to stand, and whom a decision has changed. All times in ms; Infinity for never. */
export interface TimersOfPeople {
  readonly moved: (personKey: string, from: number, to: number) => void;
  readonly looked: (personKey: string, changesAt: number) => void;
}

/** A person of usual size is counted with the record; a state of many rules, and a long profile, is read and written whole with each. */
const personBytesFree = 4_096;
const personBytesAUnit = 100;

export class PeopleStore {
  readonly #store: KeyedStore;
  readonly #codecs: Codecs;
  readonly #objects: ObjectBook;
  readonly #timers: TimersOfPeople;
  readonly #held: HeldTriggerStore;
  /** Who was read last, and how much that was. */
  #readKey = '';
  /** Whose key was made last: a person is read and then written. */
  #keyOfPerson = '';
  #key = '';
  /** Of all decisions since they were last asked for. */
  #steps = 0;
  /** Of people beyond the usual size, read and written since then. */
  #personBytes = 0;
  #readBytes = 0;

  constructor(store: KeyedStore, codecs: Codecs, objects: ObjectBook, timers: TimersOfPeople) {
    this.#store = store;
    this.#objects = objects;
    this.#codecs = codecs;
    this.#timers = timers;
    this.#held = new HeldTriggerStore(store);
  }

  /** Units of share.ts that rules, objects, and people of much took since this was last asked. */
  takeUnits(): number {
    const units =
      Math.ceil(this.#steps / patternStepsAUnit) +
      Math.ceil(this.#personBytes / personBytesAUnit) +
      this.#objects.takeUnits();
    this.#steps = 0;
    this.#personBytes = 0;
    return units;
  }

  stored(personKey: string): Buffer | undefined {
    const stored = this.#store.get(this.#keyOf(personKey));
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
    let [stored, objects]: [Profile | undefined, ObjectOf | undefined] = [undefined, undefined];
    const storedBytes = personKey === this.#readKey ? this.#readBytes : 0;
    const profile = () => (stored ??= this.#profile(personKey));
    const objectOf: Subject['objectOf'] = (object) => (objects ??= this.#objects.look(workspace))(object);
    const heldTriggers = this.#heldOf(personKey);
    return { personId, person, rules, readTo, storedBytes, profile, heldTriggers, objectOf };
  }

  /** As `peek`, with what rules ask of a person; of objects they ask what the person has. */
  peekSubject(
    { personId, personKey }: Pick<Whose, 'personId' | 'personKey'>,
    { rules, readTo }: Pick<Subject, 'rules' | 'readTo'>,
  ): Subject {
    let stored: Profile | undefined;
    const profile = () => (stored ??= profileIn(this.#store.get(`a:${personKey}`)));
    return {
      ...{ personId, person: this.peek(personKey), rules, readTo, profile },
      heldTriggers: this.#heldOf(personKey),
    };
  }

  #heldOf(personKey: string): Subject['heldTriggers'] {
    return (range, from, to) => this.#held.read(personKey, range, from, to);
  }

  /** Keeps what was decided and writes its effects. */
  settle(whose: Whose, before: Person | undefined, decision: Decision, out: Emitter): void {
    const { personKey } = whose;
    if (decision.person !== before) {
      const { changesAt } = decision.person;
      const timerAt = timerAfter(before?.timerAt ?? Infinity, decision.person);
      this.#keep(personKey, decision.person, { from: before?.timerAt ?? Infinity, to: timerAt });
      this.#timers.looked(personKey, changesAt);
    }
    if (decision.profile !== undefined) {
      const encoded = encodeProfile(decision.profile);
      this.#countBytes(encoded.length);
      this.#store.put(`a:${personKey}`, encoded);
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

  /**
   * A timer has fired: the person without it; undefined: there is nothing to do. Of somebody who does not change by now it
   * is set again, to where they do.
   */
  fired(personKey: string, at: number): Person | undefined {
    const person = this.person(personKey);
    if (person === undefined) return undefined;
    const isOwn = timerTimeOf(person.timerAt) === at; // else it stands elsewhere by now
    if (person.changesAt <= at) return isOwn ? { ...person, timerAt: Infinity } : person;
    if (isOwn) this.#keep(personKey, person, { from: Infinity, to: person.changesAt });
    return undefined;
  }

  #keep(personKey: string, person: Person, timer: { readonly from: number; readonly to: number }): void {
    const encoded = encodePerson(person, timer.to);
    this.#countBytes(encoded.length);
    this.#store.put(this.#keyOf(personKey), encoded);
    if (timer.from !== timer.to) this.#timers.moved(personKey, timer.from, timer.to);
  }

  forgetProfile(personKey: string): void {
    this.#store.delete(`a:${personKey}`);
  }

  /** The same string, so that it is put together, and hashed, once. */
  #keyOf(personKey: string): string {
    if (personKey !== this.#keyOfPerson) {
      this.#keyOfPerson = personKey;
      this.#key = `p:${personKey}`;
    }
    return this.#key;
  }

  #profile(personKey: string): Profile {
    const stored = this.#store.get(`a:${personKey}`);
    this.#countBytes(stored?.length ?? 0);
    return profileIn(stored);
  }
}

function profileIn(stored: Buffer | undefined): Profile {
  return stored === undefined ? newProfile : decodeProfile(stored);
}

/**
 * A timer that is too early stays where it is: most events put off what is due, and moving the timer each time costs more
 * than one look when it fires. One whose time the person has passed is moved: it has fired, or failed, or waits in vain.
 */
function timerAfter(armedAt: number, { changesAt, evaluatedAt }: Person): number {
  return armedAt <= changesAt && armedAt > evaluatedAt ? armedAt : changesAt;
}

/** People of a partition in its keyed store: `p:` the person, `a:` the profile. */
import type { Codecs } from '../../schemas/codec.ts';
import { parseExactly } from '../runtime/exact-json.ts';
import type { KeyedStore } from '../runtime/store/ports.ts';
import type { Emitter } from '../runtime/task/ports.ts';
import type { Decision, Subject } from './decide/decide.ts';
import { emitEffect, type Whose } from './outputs.ts';
import { newProfile, type Profile } from './decide/profile.ts';
import { decodePerson, encodePerson, type Person } from './decide/state.ts';
import type { WorkspaceRules } from './decide/workspace-rules.ts';

export class PeopleStore {
  readonly #store: KeyedStore;
  readonly #codecs: Codecs;
  /** Who was read last, and how much that was. */
  #readKey = '';
  #readBytes = 0;

  constructor(store: KeyedStore, codecs: Codecs) {
    this.#store = store;
    this.#codecs = codecs;
  }

  stored(personKey: string): Buffer | undefined {
    const stored = this.#store.get(`p:${personKey}`);
    this.#readKey = personKey;
    this.#readBytes = stored?.length ?? 0;
    return stored;
  }

  person(personKey: string): Person | undefined {
    const stored = this.stored(personKey);
    return stored && decodePerson(stored);
  }

  subject({ personId, personKey }: Whose, person: Person | undefined, rules: WorkspaceRules): Subject {
    let profile: Profile | undefined;
    const storedBytes = personKey === this.#readKey ? this.#readBytes : 0;
    return { personId, person, rules, storedBytes, profile: () => (profile ??= this.#profile(personKey)) };
  }

  /** Keeps what was decided and writes its effects. */
  settle(whose: Whose, before: Person | undefined, decision: Decision, out: Emitter): void {
    const { personKey } = whose;
    if (decision.person !== before) this.#store.put(`p:${personKey}`, encodePerson(decision.person));
    if (decision.profile !== undefined) {
      this.#store.put(`a:${personKey}`, Buffer.from(JSON.stringify(decision.profile)));
    }
    for (const effect of decision.effects) emitEffect(effect, whose, this.#codecs, out);
  }

  forgetProfile(personKey: string): void {
    this.#store.delete(`a:${personKey}`);
  }

  #profile(personKey: string): Profile {
    const stored = this.#store.get(`a:${personKey}`);
    return stored === undefined ? newProfile : (parseExactly(stored.toString()) as Profile); // written by settle
  }
}

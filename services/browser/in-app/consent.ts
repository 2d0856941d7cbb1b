/**
 * Whether anything of the visitor may leave the browser. States: asked (what happens is held) → given (it is sent, with
 * its own times) or withdrawn (it is kept nowhere); consent may be given and withdrawn any number of times.
 */
const stateKey = 'hindsight.consent';

export type ConsentState = 'asked' | 'given' | 'withdrawn';

export class Consent {
  #isNeeded: boolean;
  #memory: string | null = null;

  constructor(isNeeded: boolean) {
    this.#isNeeded = isNeeded;
  }

  /** Nobody asks for it here. */
  isNotNeeded(): void {
    this.#isNeeded = false;
  }

  state(): ConsentState {
    const said = this.#read();
    if (said === 'given' || said === 'withdrawn') return said;
    return this.#isNeeded ? 'asked' : 'given';
  }

  set(isGiven: boolean): void {
    this.#memory = isGiven ? 'given' : 'withdrawn';
    try {
      localStorage.setItem(stateKey, this.#memory);
    } catch {
      // For this page it is known; the next one asks again.
    }
  }

  #read(): string | null {
    try {
      return localStorage.getItem(stateKey) ?? this.#memory;
    } catch {
      return this.#memory;
    }
  }
}

/**
 * How much memory the bodies of requests may take together, and how much of it one client or one workspace may. Pure
 * accounting: whoever reads a body opens a hold, takes bytes from it as they come, and closes it once.
 */
import { assert } from '../runtime/errors.ts';

export interface BudgetLimits {
  readonly bytesMax: number;
  /** Of one client: an address with a key, or an address whose key is not known yet. */
  readonly clientBytesMax: number;
  readonly clientBodiesMax: number;
  /** Of all clients of one workspace: its public key may be in many hands. */
  readonly workspaceBytesMax: number;
}

export interface BudgetState {
  readonly held_bytes: number;
  readonly bytes_max: number;
  readonly bodies: number;
}

export interface Owner {
  readonly client: string;
  /** undefined while the key is not known. */
  readonly workspace: string | undefined;
}

export interface Hold {
  /** @returns false, and takes nothing, when there is no room. */
  take(bytes: number): boolean;
  giveBack(bytes: number): void;
  /** Gives back all of it. A second call does nothing. */
  close(): void;
}

interface Account {
  readonly name: string;
  bytes: number;
  bodies: number;
  readonly bytesMax: number;
  readonly bodiesMax: number;
}

const MB = 1_024 * 1_024;
/** Bodies of callers whose key is in a header, hence known before the first byte is taken. */
export const knownLimits: BudgetLimits = {
  bytesMax: 128 * MB,
  clientBytesMax: 32 * MB,
  clientBodiesMax: 4_000,
  workspaceBytesMax: 64 * MB,
};
/** Bodies that hold their own key, as browsers send them: small ones, of anybody. */
export const browserLimits: BudgetLimits = {
  bytesMax: 32 * MB,
  clientBytesMax: 8 * MB,
  clientBodiesMax: 2_000,
  workspaceBytesMax: 32 * MB,
};

export class BodyBudget {
  readonly #limits: BudgetLimits;
  readonly #all: Account;
  /** Those with an open hold only, so no more than there are connections. */
  readonly #accounts = new Map<string, Account>();

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
    this.#all = { name: '', bytes: 0, bodies: 0, bytesMax: limits.bytesMax, bodiesMax: Infinity };
  }

  get state(): BudgetState {
    return { held_bytes: this.#all.bytes, bytes_max: this.#all.bytesMax, bodies: this.#all.bodies };
  }
  /** Of clients and workspaces with an open hold. */
  get accounts(): number {
    return this.#accounts.size;
  }

  /** @returns undefined when the client has too many open already. */
  open({ client, workspace }: Owner): Hold | undefined {
    const { clientBytesMax, clientBodiesMax, workspaceBytesMax } = this.#limits;
    const ofClient = this.#account(`client/${client}`, clientBytesMax, clientBodiesMax);
    if (ofClient.bodies >= ofClient.bodiesMax) return undefined;
    const ofWorkspace =
      workspace === undefined
        ? undefined
        : this.#account(`workspace/${workspace}`, workspaceBytesMax, Infinity);
    return new OpenHold(
      [this.#all, ofClient, ...(ofWorkspace === undefined ? [] : [ofWorkspace])],
      (account) => {
        if (account.bodies === 0) this.#accounts.delete(account.name);
      },
    );
  }

  #account(name: string, bytesMax: number, bodiesMax: number): Account {
    const known = this.#accounts.get(name);
    if (known !== undefined) return known;
    const account = { name, bytes: 0, bodies: 0, bytesMax, bodiesMax };
    this.#accounts.set(name, account);
    return account;
  }
}

class OpenHold implements Hold {
  readonly #accounts: readonly Account[];
  readonly #left: (account: Account) => void;
  #held = 0;
  #isOpen = true;

  constructor(accounts: readonly Account[], left: (account: Account) => void) {
    this.#accounts = accounts;
    this.#left = left;
    for (const account of accounts) account.bodies++;
  }

  take(bytes: number): boolean {
    if (!this.#isOpen) return false;
    for (const { bytes: taken, bytesMax } of this.#accounts) if (taken + bytes > bytesMax) return false;
    this.#held += bytes;
    for (const account of this.#accounts) account.bytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    assert(bytes <= this.#held, 'no more is given back than was taken');
    this.#held -= bytes;
    for (const account of this.#accounts) account.bytes -= bytes;
  }

  close(): void {
    if (!this.#isOpen) return;
    this.giveBack(this.#held);
    this.#isOpen = false;
    for (const account of this.#accounts) {
      account.bodies--;
      this.#left(account);
    }
  }
}

export interface BodyBudgets {
  readonly known: BodyBudget;
  readonly browser: BodyBudget;
}

export function bodyBudgets(): BodyBudgets {
  return { known: new BodyBudget(knownLimits), browser: new BodyBudget(browserLimits) };
}

/** As readiness shows them. */
export function budgetStates({ known, browser }: BodyBudgets): Readonly<Record<string, BudgetState>> {
  return { bodies: known.state, browser_bodies: browser.state };
}

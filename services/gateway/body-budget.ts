/**
 * How much memory the bodies of requests may take together, and how much of it one client or one workspace may. Pure
 * accounting: whoever reads a body opens a hold, takes bytes from it as they come, and closes it once.
 *
 * Where all of it is taken, or all that a workspace may have, a body that is still being read makes room for that of a
 * client who holds less: of the client who holds most, the one that was begun first. So a few who send slowly what is large
 * shut nobody out, also not those of their own workspace.
 */
import { assert } from '../runtime/errors.ts';

export interface BudgetLimits {
  readonly bytesMax: number;
  /** Of one client: an address with a key, or an address whose key is not known yet. */
  readonly clientBytesMax: number;
  readonly clientBodiesMax: number;
  /** Of all clients of one workspace that have the same share of it: its public key may be in many hands. */
  readonly workspaceBytesMax: number;
}

export interface BudgetState {
  readonly held_bytes: number;
  readonly bytes_max: number;
  readonly bodies: number;
  readonly ended: number;
}

export interface Owner {
  readonly client: string;
  /** Of a workspace, what its pages may have or what its servers may; undefined while the key is not known. */
  readonly share: string | undefined;
}

export interface Hold {
  /** @returns false, and takes nothing, when there is no room. */
  take(bytes: number): boolean;
  giveBack(bytes: number): void;
  /** @param end ends it for another's sake, when all was given back; never called once it is whole or closed. Again once it is: it waits, and may be ended. */
  reading(end: () => void): void;
  /** Its client waits for us from now on. */
  whole(): void;
  /** Gives back all of it. A second call does nothing. */
  close(): void;
}

interface Account {
  readonly name: string;
  bytes: number;
  bodies: number;
  readonly bytesMax: number;
  readonly bodiesMax: number;
  /** Of a client: in which account its bytes are, too. */
  readonly share: Account | undefined;
  /** Of a client: those that are being read, oldest first. */
  readonly reading: Set<OpenHold>;
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
  /** Made room for others, since the start. */
  #ended = 0;

  constructor(limits: BudgetLimits) {
    this.#limits = limits;
    this.#all = newAccount('', { bytesMax: limits.bytesMax, bodiesMax: Infinity });
  }

  get state(): BudgetState {
    const { bytes, bytesMax, bodies } = this.#all;
    return { held_bytes: bytes, bytes_max: bytesMax, bodies, ended: this.#ended };
  }
  /** Of clients and workspaces with an open hold. */
  get accounts(): number {
    return this.#accounts.size;
  }

  /** @returns undefined when the client has too many open already. */
  open({ client, share }: Owner): Hold | undefined {
    const { clientBytesMax, clientBodiesMax, workspaceBytesMax } = this.#limits;
    const ofShare =
      share === undefined
        ? undefined
        : this.#account(`share/${share}`, { bytesMax: workspaceBytesMax, bodiesMax: Infinity });
    const bounds = { bytesMax: clientBytesMax, bodiesMax: clientBodiesMax, share: ofShare };
    const ofClient = this.#account(`client/${client}`, bounds);
    if (ofClient.bodies >= ofClient.bodiesMax) return undefined;
    return new OpenHold({
      all: this.#all,
      client: ofClient,
      share: ofShare,
      makeRoom: (bytes, within) => this.#makeRoom(bytes, ofClient, within),
      left: (account) => {
        if (account.bodies === 0) this.#accounts.delete(account.name);
      },
    });
  }

  /** @returns false: whoever could end holds no more than this client would. */
  #makeRoom(bytes: number, client: Account, within: Account): boolean {
    while (within.bytes + bytes > within.bytesMax) {
      let most: Account | undefined;
      for (const account of this.#accounts.values()) {
        const isIn = within === this.#all || account.share === within;
        if (isIn && account.reading.size > 0 && account.bytes > (most ?? client).bytes) most = account;
      }
      const [first] = most?.reading ?? [];
      if (most === undefined || first === undefined || most.bytes <= client.bytes + bytes) return false;
      this.#ended += 1;
      first.endForOthers();
    }
    return true;
  }

  #account(name: string, bounds: Bounds): Account {
    const known = this.#accounts.get(name);
    if (known !== undefined) return known;
    const account = newAccount(name, bounds);
    this.#accounts.set(name, account);
    return account;
  }
}

interface Bounds {
  readonly bytesMax: number;
  readonly bodiesMax: number;
  readonly share?: Account | undefined;
}

function newAccount(name: string, { bytesMax, bodiesMax, share }: Bounds): Account {
  return { name, bytes: 0, bodies: 0, bytesMax, bodiesMax, share, reading: new Set() };
}

interface Holding {
  readonly all: Account;
  readonly client: Account;
  readonly share: Account | undefined;
  readonly makeRoom: (bytes: number, within: Account) => boolean;
  readonly left: (account: Account) => void;
}

class OpenHold implements Hold {
  readonly #holding: Holding;
  readonly #accounts: readonly Account[];
  #end: (() => void) | undefined;
  #held = 0;
  #isOpen = true;

  constructor(holding: Holding) {
    const { all, client, share } = holding;
    this.#holding = holding;
    this.#accounts = share === undefined ? [client, all] : [client, share, all];
    for (const account of this.#accounts) account.bodies++;
  }

  take(bytes: number): boolean {
    if (!this.#isOpen) return false;
    const { client, makeRoom } = this.#holding;
    for (const account of this.#accounts) {
      if (account.bytes + bytes <= account.bytesMax) continue;
      if (account === client || !makeRoom(bytes, account)) return false;
    }
    this.#held += bytes;
    for (const account of this.#accounts) account.bytes += bytes;
    return true;
  }

  reading(end: () => void): void {
    if (!this.#isOpen) return;
    this.#end = end;
    this.#holding.client.reading.add(this);
  }

  whole(): void {
    this.#end = undefined;
    this.#holding.client.reading.delete(this);
  }

  endForOthers(): void {
    const end = this.#end;
    this.close();
    end?.();
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
    this.whole();
    for (const account of this.#accounts) {
      account.bodies--;
      this.#holding.left(account);
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

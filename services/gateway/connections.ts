/**
 * How many connections may be open, and how many of them one address may have. Pure accounting: the door tells what
 * happens to each, and is told which one to end.
 *
 * A connection is one of: waiting (we wait for its client: for a request, or for the rest of one), busy (its client waits
 * for us). Where there is no room a waiting one has to go, for it costs its client no answer: of an address that has as
 * many as it may its own, else one of the address that has most; of these the one that has waited for longest. So whoever
 * opens connections and says nothing ends their own, and shuts the door for nobody. Where nobody waits, the newcomer goes.
 */
import { assert } from '../runtime/errors.ts';
import { Line, type InLine } from '../runtime/line.ts';

export interface ConnectionLimits {
  readonly openMax: number;
  readonly perAddressMax: number;
}

export interface ConnectionsState {
  readonly open: number;
  readonly addresses: number;
  /** Since the start: waiting ones that made room, and newcomers for whom there was none. */
  readonly ended: number;
  readonly refused: number;
}

interface Connection extends InLine<Connection> {
  readonly key: object;
  readonly account: Account;
  readonly end: () => void;
}

interface Account {
  readonly address: string;
  open: number;
  /** Since when each waits is their order. */
  readonly waiting: Line<Connection>;
}

/** Of addresses with equally many connections, who are asked for one that waits before others are. */
const askedMax = 64;

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #connections = new Map<object, Connection>();
  readonly #accounts = new Map<string, Account>();
  /** Accounts by how many connections they have; no set is empty. */
  readonly #bySize = new Map<number, Set<Account>>();
  #largest = 0;
  #ended = 0;
  #refused = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get state(): ConnectionsState {
    const [ended, refused] = [this.#ended, this.#refused];
    return { open: this.#connections.size, addresses: this.#accounts.size, ended, refused };
  }

  /**
   * A connection from this address, which waits. @param end ends it; called once at most, and not after `closed`.
   * @returns false, and keeps nothing, when there is no room.
   */
  opened(key: object, address: string, end: () => void): boolean {
    assert(!this.#connections.has(key), 'a connection is opened once');
    const account = this.#accounts.get(address) ?? { address, open: 0, waiting: new Line<Connection>() };
    if (!this.#makeRoom(account)) {
      this.#refused += 1;
      return false;
    }
    this.#accounts.set(address, account);
    const connection: Connection = {
      key,
      account,
      end,
      before: undefined,
      after: undefined,
      isInLine: false,
    };
    this.#connections.set(key, connection);
    account.waiting.add(connection);
    this.#resize(account, account.open + 1);
    return true;
  }

  /** Whoever ended it. */
  closed(key: object): void {
    const connection = this.#connections.get(key);
    if (connection === undefined) return;
    this.#connections.delete(key);
    this.#leave(connection);
  }

  busy(key: object): void {
    const connection = this.#connections.get(key);
    connection?.account.waiting.remove(connection);
  }

  waiting(key: object): void {
    const connection = this.#connections.get(key);
    if (connection === undefined) return;
    connection.account.waiting.remove(connection);
    connection.account.waiting.add(connection);
  }

  #makeRoom(account: Account): boolean {
    const { openMax, perAddressMax } = this.#limits;
    if (account.open >= perAddressMax) return this.#endOneOf(account);
    return this.#connections.size < openMax || this.#endOneOfTheLargest();
  }

  #endOneOfTheLargest(): boolean {
    for (let size = this.#largest; size > 0; size -= 1) {
      let asked = 0;
      for (const account of this.#bySize.get(size) ?? []) {
        if (this.#endOneOf(account)) return true;
        asked += 1;
        if (asked === askedMax) break;
      }
    }
    return false;
  }

  #endOneOf({ waiting }: Account): boolean {
    const longest = waiting.first;
    if (longest === undefined) return false;
    this.#connections.delete(longest.key);
    this.#leave(longest);
    this.#ended += 1;
    longest.end();
    return true;
  }

  #leave(connection: Connection): void {
    const { account } = connection;
    account.waiting.remove(connection);
    this.#resize(account, account.open - 1);
    if (account.open === 0) this.#accounts.delete(account.address);
  }

  #resize(account: Account, open: number): void {
    const before = this.#bySize.get(account.open);
    before?.delete(account);
    if (before?.size === 0) this.#bySize.delete(account.open);
    account.open = open;
    if (open > 0) {
      const after = this.#bySize.get(open) ?? new Set();
      this.#bySize.set(open, after.add(account));
    }
    this.#largest = Math.max(this.#largest, open);
    while (this.#largest > 0 && !this.#bySize.has(this.#largest)) this.#largest -= 1;
  }
}

/**
 * Who is one client to the door. A proxy in front is one address for everybody, so where the operator says that a peer is
 * a proxy of theirs, whom it names in X-Forwarded-For is the client: the last address there that is no proxy, since what
 * stands before that anybody can have written.
 */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6, type Socket } from 'node:net';
import { siteOf } from './address.ts';

const PREFIX_BITS_MAX = { ipv4: 32, ipv6: 128 } as const;

export class ClientAddresses {
  readonly #proxies = new BlockList();
  readonly #hasProxies: boolean;

  /** @param proxies addresses, or ranges such as 10.0.0.0/8. @throws Error of one that is neither. */
  constructor(proxies: readonly string[]) {
    this.#hasProxies = proxies.length > 0;
    for (const proxy of proxies) this.#add(proxy);
  }

  of({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string {
    const site = siteOfSocket(socket);
    if (!this.#hasProxies || !this.#isProxy(socket.remoteAddress ?? '')) return site;
    const told = headers['x-forwarded-for'];
    let rest = typeof told === 'string' ? told : '';
    while (rest !== '') {
      const comma = rest.lastIndexOf(',');
      const address = rest.slice(comma + 1).trim();
      if (isIP(address) === 0) return site; // whoever wrote it, it names nobody
      if (!this.#isProxy(address)) return siteOf(address);
      rest = comma < 0 ? '' : rest.slice(0, comma);
    }
    return site;
  }

  #add(proxy: string): void {
    const [address = '', bits] = proxy.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    const prefix = bits === undefined ? PREFIX_BITS_MAX[family] : Number(bits);
    const isPrefix = Number.isInteger(prefix) && prefix >= 0 && prefix <= PREFIX_BITS_MAX[family];
    if (isIP(address) === 0 || !isPrefix || bits === '')
      throw new Error(`${proxy} is no address and no range`);
    this.#proxies.addSubnet(address, prefix, family);
  }

  #isProxy(address: string): boolean {
    return isIP(address) !== 0 && this.#proxies.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

const sites = new WeakMap<Socket, string>();

/** Known for as long as the socket is, also when it has closed. */
export function siteOfSocket(socket: Socket): string {
  const known = sites.get(socket);
  if (known !== undefined) return known;
  const site = siteOf(socket.remoteAddress ?? '');
  if (socket.remoteAddress !== undefined) sites.set(socket, site);
  return site;
}

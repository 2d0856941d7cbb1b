/** Who is one client to the door: an address, of IPv6 its first half. Pure. */
import { isIPv6 } from 'node:net';

const GROUPS_OF_A_SITE = 4;

/** Of IPv6 the first half, since whoever has one address has 2^64 of them. */
export function siteOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [before = '', after = ''] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const zeros = 8 - groups(before).length - groups(after).length;
  const whole = address.includes('::')
    ? [...groups(before), ...Array<string>(Math.max(zeros, 0)).fill('0'), ...groups(after)]
    : groups(address);
  return whole.slice(0, GROUPS_OF_A_SITE).join(':');
}

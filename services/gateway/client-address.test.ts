/** Who is one client, behind a proxy and without. */
import { describe, expect, test } from '@jest/globals';
import { Socket } from 'node:net';
import { ClientAddresses } from './client-address.ts';

function from(remoteAddress: string, forwarded?: string) {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress });
  return { socket, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } };
}

describe('with proxies 10.0.0.0/8, ::1 and 192.0.2.7', () => {
  const clients = new ClientAddresses(['10.0.0.0/8', '::1', '192.0.2.7']);

  test.each([
    ['a peer that is none, whatever it says', from('203.0.113.5', '198.51.100.1'), '203.0.113.5'],
    ['whom the proxy names', from('10.1.2.3', '198.51.100.1'), '198.51.100.1'],
    [
      'the last that is no proxy',
      from('10.1.2.3', '6.6.6.6, 198.51.100.1 , 10.9.9.9,192.0.2.7'),
      '198.51.100.1',
    ],
    ['IPv4 written as IPv6', from('::ffff:10.1.2.3', '198.51.100.1'), '198.51.100.1'],
    ['of IPv6 the first half', from('::1', '2001:db8:1:2:3:4:5:6'), '2001:db8:1:2'],
    ['a proxy that names nobody', from('10.1.2.3'), '10.1.2.3'],
    ['only proxies', from('10.1.2.3', '10.4.5.6'), '10.1.2.3'],
    ['what is no address', from('10.1.2.3', '198.51.100.1, unknown'), '10.1.2.3'],
  ] as const)('%s', (_what, request, site) => {
    expect(clients.of(request)).toBe(site);
  });
});

test('without proxies the peer is the client', () => {
  expect(new ClientAddresses([]).of(from('10.1.2.3', '198.51.100.1'))).toBe('10.1.2.3');
});

test.each(['', 'proxy.example', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/x', '::1/129'])(
  '%j is no proxy',
  (proxy) => {
    expect(() => new ClientAddresses([proxy])).toThrow('is no address and no range');
  },
);

import { describe, expect, test } from '@jest/globals';
import { localCodecs } from '../../schemas/codec.ts';
import { asCollected, laneOf, peerValueOf, readPeerRecord } from './peer-record.ts';

const anonymousId = '0a1b2c3d-0000-4000-8000-000000000001';

function valueOf(type: number, userId: string): Buffer {
  const head = Buffer.alloc(18);
  head.writeUInt8(type, 0);
  head.writeBigInt64BE(1_767_225_600_123n, 1);
  head.writeBigInt64BE(1_767_225_599_000n, 9);
  head.writeUInt8(userId.length, 17);
  const json = `{"messageId":"00000000000000ff","type":"track","properties":{"price":9.99}}`;
  return Buffer.concat([head, Buffer.from(userId), Buffer.from(json)]);
}

describe('a record of the peer', () => {
  test('says who did what when', () => {
    expect(readPeerRecord(Buffer.from(anonymousId), valueOf(2, 'user-7'))).toMatchObject({
      anonymousId,
      isIdentify: true,
      receivedAt: 1_767_225_600_123,
      timestamp: 1_767_225_599_000,
      userId: 'user-7',
      messageId: '00000000000000ff',
    });
  });

  test.each([
    [1, ''],
    [2, 'user-7'],
  ])('of type %i comes back byte for byte after it has been an event of ours', (type, userId) => {
    const codec = localCodecs().CollectedEvent;
    const value = valueOf(type, userId);
    const event = asCollected(readPeerRecord(Buffer.from(anonymousId), value));
    expect(peerValueOf(codec.decode(codec.encode(event)))).toEqual(value);
  });

  test('lies in the lane of its anonymous id', () => {
    expect(laneOf(anonymousId)).toBe(`peer:a:${anonymousId}`);
  });
});

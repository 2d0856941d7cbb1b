import { describe, expect, test } from '@jest/globals';
import { localCodecs } from '../../schemas/codec.ts';
import { controlMsMax } from '../../schemas/control-markers.ts';
import { toWorkspace } from '../../schemas/ids.ts';
import type { TopicId } from '../../schemas/topics.ts';
import type { Producer } from '../runtime/log/ports.ts';
import { plainIntake } from '../testing/plain-intake.ts';
import { deliverTo } from './deliver.ts';
import { controlOutcome, type Outcome } from './translation.ts';

const codecs = localCodecs();
const call = { workspace: toWorkspace('shop'), receivedAt: 1_000, source: 'test', mintMessageId: () => 'm' };
const deletion: Outcome = controlOutcome(call, 'delete', {
  messageId: 'm',
  identifier: { kind: 'id', value: '42' },
});

/** A broker that answers a marker with the offsets given, by partition, and takes its time. */
function broker(offsets: readonly number[], msEach = 0) {
  const sent: TopicId[] = [];
  const requests: { readonly positions: readonly number[]; readonly request_number: number }[] = [];
  let nowMs = 0;
  const producer: Pick<Producer, 'send'> = {
    send: async (topic, _key, value, partition = 0) => {
      await Promise.resolve();
      nowMs += msEach;
      sent.push(topic);
      if (topic !== 'identityRequests') {
        const offset = offsets[partition] ?? -2;
        if (offset === -2) throw new Error('the broker is away');
        return offset;
      }
      requests.push(codecs.IdentityRequest.decode(Buffer.from(value)));
      return 0;
    },
  };
  const deliver = deliverTo({
    codecs,
    producer,
    intake: plainIntake(producer),
    monotonicMs: () => nowMs,
    admin: {
      partitionsOf: () => Promise.resolve(offsets.length),
      endOffsets: () => Promise.resolve(offsets.map(() => 90)),
    },
  });
  return { deliver, sent, requests };
}

describe('a control call', () => {
  test('stands behind its markers', async () => {
    const { deliver, sent, requests } = broker([4, 0, 7]);
    await deliver([deletion]);
    expect(sent).toEqual(['eventsCollected', 'eventsCollected', 'eventsCollected', 'identityRequests']);
    expect(requests).toMatchObject([{ kind: 'delete', positions: [5, 1, 8] }]);
    expect(requests[0]?.request_number).toBeGreaterThan(0);
  });

  test('waits a little longer where the broker no longer says where a marker is', async () => {
    const { deliver, requests } = broker([4, -1, 7]);
    await deliver([deletion]);
    expect(requests).toMatchObject([{ positions: [5, 90, 8] }]);
  });

  test('is not sent when a marker could not be written', async () => {
    const { deliver, requests } = broker([4, -2, 7]);
    await expect(deliver([deletion])).rejects.toThrow('the broker is away');
    expect(requests).toEqual([]);
  });

  test('is not acknowledged when it took longer than lanes wait for it', async () => {
    const late = broker([4], controlMsMax / 2 + 1);
    await expect(late.deliver([deletion])).rejects.toMatchObject({
      code: 'log_unavailable',
      retryable: true,
    });
    await expect(broker([4], controlMsMax / 2).deliver([deletion])).resolves.toBeUndefined();
  });
});

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toWorkspace } from '../../../schemas/ids.ts';
import { TakenRecords } from '../../runtime/taken-records.ts';
import { CodedError } from '../../runtime/errors.ts';
import { Ticket } from './ticket.ts';

function ticketOf(count: number) {
  const records = new TakenRecords(toWorkspace('shop'));
  for (let index = 0; index < count; index += 1) {
    records.add('eventsCollected', 0, 3, 3 + String(index).length);
    records.addPiece(Buffer.from(`key${String(index)}`));
  }
  const told: string[] = [];
  const call = { records, sinceMs: 0, resolve: () => undefined, reject: () => undefined };
  const ticket = new Ticket(call, {
    ended: (_ticket, fault) => told.push(fault === undefined ? 'ended' : 'ended with a fault'),
    failed: () => told.push('failed'),
  });
  return { ticket, told };
}

test('what the log has is not sent again from the disk, all else is, in its order', () => {
  const sizes = fc.integer({ min: 1, max: 200 });
  const calls = sizes.chain((count) =>
    fc.tuple(fc.constant(count), fc.uniqueArray(fc.nat({ max: count - 1 }), { maxLength: count - 1 })),
  );
  fc.assert(
    fc.property(calls, ([count, kept]) => {
      const { ticket, told } = ticketOf(count);
      for (const mark of kept) ticket.resolve(0, mark);
      const left = ticket.takeBack().map(({ value }) => Number(value.toString()));
      const all = Array.from({ length: count }, (_, index) => index);
      expect(left).toEqual(all.filter((index) => !kept.includes(index)));
      ticket.resolve(0, left[0] ?? 0); // too late
      expect(told).toEqual([]);
    }),
  );
});

test('it ends when the log has all of it, with the first fault of what it will never have', () => {
  const whole = ticketOf(40);
  for (let mark = 39; mark >= 0; mark -= 1) whole.ticket.resolve(0, mark);
  expect(whole.told).toEqual(['ended']);
  const partly = ticketOf(2);
  partly.ticket.reject(new CodedError('record_too_large', 'could not: as the test says'));
  partly.ticket.resolve(0, 1);
  expect(partly.told).toEqual(['ended with a fault']);
  expect(partly.ticket.fault).toMatchObject({ code: 'record_too_large' });
});

/** When a call was received: the wall clock, or under HINDSIGHT_TEST_CLOCK what the contract says (contract, *Running it*). */
import { holdMsMax } from '../../schemas/hold.ts';
import { readTime } from '../runtime/times.ts';

export const RECEIVED_AT_HEADER = 'x-hindsight-received-at';

/** The clock that all tasks of a test installation stand at. */
export interface StandingClock {
  /** ms; undefined until it is first set. */
  now(): number | undefined;
  /** Resolves when the broker has the new time, before which no event of that time may be sent. Never goes back. */
  advanceTo(time: number): Promise<void>;
}

/** undefined: the header is not a time, or one too far behind the clock (schemas/hold.ts). */
export type ReceiveTime = (header: string | string[] | undefined) => Promise<number | undefined>;

/** The wall's without a standing clock. */
export function receiveTime(clock: StandingClock | undefined): ReceiveTime {
  return clock === undefined ? () => Promise.resolve(Date.now()) : testReceiveTime(clock);
}

function testReceiveTime(clock: StandingClock): ReceiveTime {
  return async (header) => {
    if (header === undefined) return clock.now() ?? Date.now();
    const read = readTime(header);
    const time = read.type === 'time' ? read.ms : undefined;
    const now = clock.now() ?? -Infinity;
    if (time === undefined || time < now - holdMsMax) return undefined;
    if (time > now) await clock.advanceTo(time);
    return time;
  };
}

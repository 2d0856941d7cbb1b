/**
 * One email with very many visitors (a shared address, a test account that a crawler signs in with), each with a past,
 * and then that person merged into another. Throws when a promise breaks; returns what it took. For tests of hostile
 * inputs only.
 */
import { assert } from '../../runtime/errors.ts';
import type { Identifier } from '../../../schemas/lanes.ts';
import { quietMs } from '../../merger/decide/limits.ts';
import { HostileShop, identify } from './shop.ts';

export interface OnePersonReport {
  readonly visitors: number;
  /** Visitors who had a past and identified, with all that this brings, at the beginning and at the end. */
  readonly firstTenthPerSecond: number;
  readonly lastTenthPerSecond: number;
  /** Until the merge is decided and told to the lanes. */
  readonly mergeMs: number;
  /** Events of the visitors after it, each the first of its lane: by way of the absorbed person. */
  readonly followingPerSecond: number;
  readonly batchMsMax: number;
}

const PAST_EVENTS = 3;
const VISITORS_A_BATCH = 100;
const email: Identifier = { kind: 'email', value: 'everybody@example.com' };
const id: Identifier = { kind: 'id', value: '42' };

export function personOfVeryMany({
  folder,
  visitors,
}: {
  readonly folder: string;
  readonly visitors: number;
}): OnePersonReport {
  const shop = new HostileShop(folder);
  const rates = claims(shop, visitors);
  shop.feed([{ ...identify(null, id), message_id: 'id', received_at: shop.time, timestamp: shop.time }]);
  shop.settle();
  const began = performance.now();
  shop.merge(id, email);
  const mergeMs = Math.round((performance.now() - began) * 10) / 10;
  const { absorbed, survivor } = people(shop);
  const followingPerSecond = follow(shop, visitors, absorbed);
  shop.time += quietMs + 1;
  follow(shop, visitors, survivor);
  shop.close();
  return { visitors, ...rates, mergeMs, followingPerSecond, batchMsMax: Math.round(shop.batchMsMax) };
}

function claims(
  shop: HostileShop,
  visitors: number,
): Pick<OnePersonReport, 'firstTenthPerSecond' | 'lastTenthPerSecond'> {
  const took: number[] = [];
  let released = 0;
  for (let from = 0; from < visitors; from += VISITORS_A_BATCH) {
    const began = performance.now();
    const batch = numbers(from, visitors);
    const merged = (event: { readonly type: string }): void => {
      released += Number(event.type === 'event');
    };
    const { time } = shop;
    const stamps = { received_at: time, timestamp: time };
    shop.feed(
      batch.flatMap((each) => [
        ...Array.from({ length: PAST_EVENTS }, (_, past) => ({
          ...stamps,
          anonymous_id: visitorOf(each),
          message_id: `past ${String(past)}`,
        })),
        { ...stamps, ...identify(visitorOf(each), email), message_id: 'claim' },
      ]),
      { merged },
    );
    shop.settle({ merged });
    took.push((performance.now() - began) / batch.length);
  }
  assert(released === visitors * PAST_EVENTS, 'every past is the person’s');
  const tenth = Math.max(1, Math.floor(took.length / 10));
  const perSecond = (ms: readonly number[]): number =>
    Math.round(1_000 / (ms.reduce((sum, each) => sum + each, 0) / ms.length));
  return {
    firstTenthPerSecond: perSecond(took.slice(0, tenth)),
    lastTenthPerSecond: perSecond(took.slice(-tenth)),
  };
}

/** Each visitor sends one event that names the email: whose is it, and by whose way? */
function follow(shop: HostileShop, visitors: number, expected: string): number {
  const began = performance.now();
  let followed = 0;
  for (let from = 0; from < visitors; from += VISITORS_A_BATCH) {
    const merged = (_event: object, { person_id: personId }: { readonly person_id: string }): void => {
      followed += Number(personId === expected);
    };
    const { time } = shop;
    const events = numbers(from, visitors).map((each) => ({
      anonymous_id: visitorOf(each),
      identifier_kind: email.kind,
      identifier: email.value,
      message_id: `after ${String(time)}`,
      received_at: time,
      timestamp: time,
    }));
    shop.feed(events, { merged });
    shop.settle({ merged });
  }
  assert(followed === visitors, 'every lane follows the merge');
  return Math.round((visitors / (performance.now() - began)) * 1_000);
}

function people(shop: HostileShop): { readonly absorbed: string; readonly survivor: string } {
  const survivor = shop.graph.find(id)?.personId;
  assert(
    survivor !== undefined && shop.graph.find(email)?.personId === survivor,
    'both names are one person’s',
  );
  const first = shop.graph.rows.claimant(visitorOf(0));
  assert(first !== undefined && first !== survivor, 'the visitors were the absorbed person’s');
  return { absorbed: first, survivor };
}

function numbers(from: number, visitors: number): readonly number[] {
  return Array.from({ length: Math.min(VISITORS_A_BATCH, visitors - from) }, (_, index) => from + index);
}

function visitorOf(number: number): string {
  return `visitor-${String(number)}`;
}

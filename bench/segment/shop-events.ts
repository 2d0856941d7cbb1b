/**
 * What known people of a shop do in 60 days, from a seed: half of it is of a tenth of the people, one of so many events has
 * a name that segments count. Some come late: 10 % by up to a minute, 4 % by up to five days, 1 % by 25 to 35 days, so that
 * their window may be over when they come.
 */
import { START } from '../trigger/trigger-processor.ts';
import { watchedName } from '../trigger/watching-segments.ts';
import { SplittableRandom } from '../splittable-random.ts';

export interface Shop {
  readonly events: number;
  readonly people: number;
  /** One of so many events has a name that segments count. */
  readonly named: number;
  /** That segments count. */
  readonly names: number;
}

/** One object, reused. */
export interface ShopEvent {
  number: number;
  person: number;
  name: string;
  price: number;
  /** ms; when it was received and became the person's. */
  mergedAt: number;
  /** ms; when it happened. */
  timestamp: number;
}

export const spanMs = 60 * 86_400_000;
const SEED = 1;
const OTHER_NAMES = 7;
const PRICES = 100;
const DAY_MS = 86_400_000;

export function* shopEvents({ events, people, named, names }: Shop): Generator<ShopEvent> {
  const random = new SplittableRandom(SEED);
  const event: ShopEvent = { number: 0, person: 0, name: '', price: 0, mergedAt: 0, timestamp: 0 };
  const tenth = Math.ceil(people / 10);
  for (let number = 0; number < events; number += 1) {
    event.number = number;
    event.person = random.int(random.int(2) === 0 ? people : tenth);
    const isNamed = random.int(named) === 0;
    event.name = isNamed
      ? watchedName(random.int(names))
      : `Product Viewed ${String(random.int(OTHER_NAMES))}`;
    event.price = random.int(PRICES);
    // Events come at odd milliseconds and happen at even ones: no window ends at the moment at which an event comes.
    event.mergedAt = odd(START + (number * spanMs) / events);
    event.timestamp = event.mergedAt - 1 - even(latenessMs(random));
    yield event;
  }
}

function latenessMs(random: SplittableRandom): number {
  const kind = random.int(100);
  if (kind === 0) return (25 + 10 * random.double()) * DAY_MS;
  if (kind < 5) return 5 * DAY_MS * random.double();
  return random.int(kind < 15 ? 60_000 : 200);
}

function even(ms: number): number {
  return 2 * Math.floor(ms / 2);
}
function odd(ms: number): number {
  return even(ms) + 1;
}

/** When a person signed up does not depend on the order in which calls come, nor on what says no time. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../testing/runs.ts';
import { createdAtOf } from './created-at.ts';
import { decodeProfile, encodeProfile } from './profile-codec.ts';
import { applyIdentify, applyTraits, attributesOf, newProfile, type Profile } from './profile.ts';

type Name = 'created_at' | 'createdAt';
interface Write {
  readonly at: number;
  readonly name: Name;
  readonly value: unknown;
  readonly isTrait: boolean;
}

const times = [1_600_000_000, 1_700_000_000, 1_710_000_000];
const says: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...times),
  fc.constantFrom<unknown>('yesterday', 0, {}, [], true, ' ', 1e30),
  fc.constantFrom<unknown>(null, ''),
);
const writes = fc
  .array(
    fc.record({ name: fc.constantFrom<Name>('created_at', 'createdAt'), value: says, isTrait: fc.boolean() }),
    {
      maxLength: 8,
    },
  )
  .map((all) => all.map((one, index): Write => ({ ...one, at: 1_000 + index })));

function apply(profile: Profile, { at, name, value, isTrait }: Write): Profile {
  const attributes = { [name]: value };
  const messageId = `m${String(at)}`;
  const call = {
    attributes,
    by: [at, messageId],
    id: null,
    email: null,
    byCioId: false,
    known: null,
  } as const;
  const { profile: after } = isTrait
    ? applyTraits(profile, { attributes, at, messageId })
    : applyIdentify(profile, call);
  return decodeProfile(encodeProfile(after));
}

/** The last of each name that says a time or takes it back, what visitors said before all else; of both the last. */
function naive(all: readonly Write[]): number | null {
  const byTime = [...all].sort((a, b) => Number(b.isTrait) - Number(a.isTrait) || a.at - b.at);
  const isTold = ({ value }: Write) => value === null || value === '' || times.includes(value as number);
  const lastOf = (name: Name) => byTime.findLast((one) => one.name === name && isTold(one));
  const last = [lastOf('created_at'), lastOf('createdAt')]
    .filter((one) => one !== undefined && one.value !== null && one.value !== '')
    .sort((a, b) => byTime.indexOf(b as Write) - byTime.indexOf(a as Write))[0];
  return last === undefined ? null : (last.value as number) * 1_000;
}

test('it is the last time that was said, in whichever order the calls come', () => {
  const shuffled = writes.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
  );
  fc.assert(
    fc.property(shuffled, ([all, order]) => {
      const profile = order.reduce(apply, newProfile);
      expect(createdAtOf(profile.attributes)).toBe(naive(all));
      expect(attributesOf(profile)).toEqual(attributesOf(all.reduce(apply, newProfile)));
    }),
    { numRuns: runs(300) },
  );
});

test('a value that says no time takes no more than two stamps and a time of the state', () => {
  let profile = newProfile;
  for (let at = 1_000; at < 1_100; at += 1) {
    const value = at % 2 === 0 ? 1_700_000_000 + at : 'soon';
    profile = apply(profile, { at, name: 'created_at', value, isTrait: false });
  }
  expect(encodeProfile(profile).length).toBeLessThan(80);
  expect(createdAtOf(profile.attributes)).toBe((1_700_000_000 + 1_098) * 1_000);
});

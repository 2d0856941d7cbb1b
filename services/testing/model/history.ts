/**
 * Random histories of three people, three visitors and a handful of message ids, so that most calls meet. Calls name
 * people by what a client would say; a cio_id is written as whose it is, since the real one is known only once it has
 * been given. For the model test only.
 */
import fc from 'fast-check';
import type { Identifier } from '../../../schemas/lanes.ts';
import { defaultSettings, type WorkspaceSettings } from '../../runtime/workspace-settings.ts';

export interface LaneFields {
  /** Null: none. */
  readonly visitor: string | null;
  readonly message: number;
  /** Received so long before it arrives: ingest held it back. */
  readonly lateMs: number;
  /** The event's own clock. */
  readonly behindMs: number;
}
/** As a history says it: a cio_id has the value `of p1`, and means whoever id p1 or its email first named. */
export type Name = Identifier;

export type Draft =
  | { readonly type: 'visit'; readonly fields: LaneFields }
  | { readonly type: 'track'; readonly fields: LaneFields; readonly named: Name }
  | {
      readonly type: 'identify';
      readonly fields: LaneFields;
      readonly named: Name;
      /** Partner: the other identifier of the same person. */
      readonly also: 'partner' | readonly Name[];
      readonly updateOnly: boolean;
    }
  /** Previous is a visitor's id or a person's. */
  | { readonly type: 'alias'; readonly fields: LaneFields; readonly named: Name; readonly previous: string }
  | { readonly type: 'merge'; readonly named: Name; readonly other: Name }
  | { readonly type: 'delete' | 'suppress' | 'unsuppress'; readonly named: Name }
  | {
      readonly type: 'split';
      readonly named: Name;
      readonly visitors: readonly string[];
      readonly names: readonly Name[];
      readonly into: Name | null;
    }
  | { readonly type: 'settings'; readonly change: SettingsChange }
  /** A control call of which only the markers were written. */
  | { readonly type: 'lost' };

export interface Step {
  readonly waitMs: number;
  readonly draft: Draft;
}
export interface History {
  /** Guards that remember what they saw stay as they are at the start: what they saw before has no record. */
  readonly guards: Partial<WorkspaceSettings['guards']>;
  readonly steps: readonly Step[];
}
export interface SettingsChange extends Partial<Omit<WorkspaceSettings, 'guards'>> {
  readonly guards?: Partial<WorkspaceSettings['guards']>;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ALWAYS = 100_000 * DAY;

/** The other identifier of the same person; a cio_id has none. */
export function partner({ kind, value }: Identifier): Identifier | null {
  if (kind === 'cio_id') return null;
  return kind === 'id'
    ? { kind: 'email', value: `${value}@x.org` }
    : { kind: 'id', value: value.replace(/@.*$/u, '').toLowerCase() };
}

const n = fc.integer({ min: 1, max: 3 }).map(String);
const id = n.map((each): Name => ({ kind: 'id', value: `p${each}` }));
const email = fc.tuple(n, fc.boolean()).map(([each, upper]): Name => {
  const value = `p${each}@x.org`;
  return { kind: 'email', value: upper ? value.toUpperCase() : value };
});
const cioId = n.map((each): Name => ({ kind: 'cio_id', value: `of p${each}` }));
/** Names nobody, or only because a guard was switched off. */
const illegal = fc.constantFrom<Name>(
  { kind: 'id', value: 'null' },
  { kind: 'id', value: 'x' },
  { kind: 'email', value: 'n/a' },
);
const plain = fc.oneof(id, email);
const named = fc.oneof(
  { weight: 20, arbitrary: plain },
  { weight: 3, arbitrary: cioId },
  { weight: 1, arbitrary: illegal },
);
const visitor = fc.constantFrom('x', 'x', 'y', 'y', 'z', 'z', 'null');

const waitMs = fc.constantFrom(
  ...[0, 0, 1, SECOND, MINUTE, 4 * MINUTE, 5 * MINUTE, 11 * MINUTE, HOUR, DAY, 2 * DAY, 29 * DAY, 30 * DAY],
);
const fields = fc.record({
  visitor: fc.option(visitor, { nil: null, freq: 4 }),
  message: fc.integer({ min: 0, max: 9 }),
  lateMs: fc.constantFrom(0, 0, 0, 0, SECOND, 3 * MINUTE, 6 * MINUTE, DAY),
  behindMs: fc.constantFrom(0, 0, SECOND, 2 * MINUTE, DAY, -DAY),
});
const also = fc.oneof(
  { weight: 5, arbitrary: fc.constant([] as const) },
  { weight: 5, arbitrary: fc.constant('partner' as const) },
  { weight: 2, arbitrary: named.map((each) => [each]) },
  { weight: 1, arbitrary: fc.tuple(id, email).map((each) => [...each]) },
);
const atMost = fc.constantFrom(null, 1, 2);
const limitWithin = (withinMs: number) =>
  atMost.map((limit) => (limit === null ? null : { at_most: limit, within_ms: withinMs }));
const tallies = fc.record({
  anonymous_ids_per_person: limitWithin(DAY),
  merges_per_minute: fc.constantFrom(null, null, 0, 1, 2),
});
const change: fc.Arbitrary<SettingsChange> = fc.oneof(
  fc.record({ anonymous_event_merge: fc.boolean() }),
  fc.record({ auto_merge: fc.boolean() }),
  fc.record({ update_email_by_id: fc.boolean() }),
  fc.record({ canonical_identifier: fc.constantFrom('id' as const, 'email' as const) }),
  fc.record({ guards: tallies }),
);

const draft: fc.Arbitrary<Draft> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ type: fc.constant('visit' as const), fields }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('track' as const), fields, named }) },
  {
    weight: 10,
    arbitrary: fc.record({
      type: fc.constant('identify' as const),
      fields,
      named,
      also,
      updateOnly: fc.constantFrom(false, false, false, false, true),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('alias' as const),
      fields,
      named,
      previous: fc.oneof(visitor, fc.constantFrom('p1', 'p2', 'p3', 'p1@x.org')),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constantFrom('delete', 'suppress', 'unsuppress'), named }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('merge' as const), named, other: named }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('split' as const),
      named,
      visitors: fc.uniqueArray(visitor, { maxLength: 2 }),
      names: fc.array(plain, { maxLength: 2 }),
      into: fc.option(named, { nil: null, freq: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('settings' as const), change }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('lost' as const) }) },
);
const guards = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.record({
      illegal_identifiers: fc.boolean(),
      people_per_anonymous_id: limitWithin(ALWAYS),
      anonymous_ids_per_person: limitWithin(DAY),
    }),
  },
);

export const history: fc.Arbitrary<History> = fc.record({
  guards,
  steps: fc.array(fc.record({ waitMs, draft }), { minLength: 1, maxLength: 40, size: 'max' }),
});
/** Of two people who are merged, split, deleted and named again most of the time, so that names leave and come back. */
export const troubledHistory: fc.Arbitrary<History> = fc.record({
  guards: fc.constant({}),
  steps: fc.array(
    fc.record({ waitMs: fc.constantFrom(0, 0, 1, SECOND, 4 * MINUTE, 11 * MINUTE), draft: troubledDraft() }),
    {
      minLength: 20,
      maxLength: 60,
      size: 'max',
    },
  ),
});

function troubledDraft(): fc.Arbitrary<Draft> {
  const anybody = fc.constantFrom<Name>(
    ...['p1', 'p1', 'p2'].flatMap((each): Name[] => [
      { kind: 'id', value: each },
      { kind: 'email', value: `${each}@x.org` },
    ]),
  );
  const browser = fc.record({
    visitor: fc.constantFrom('x', 'y', null),
    message: fc.nat(50),
    lateMs: fc.constantFrom(0, 0, 0, SECOND, 6 * MINUTE),
    behindMs: fc.constant(0),
  });
  return fc.oneof(
    { weight: 4, arbitrary: fc.record({ type: fc.constant('visit' as const), fields: browser }) },
    {
      weight: 8,
      arbitrary: fc.record({ type: fc.constant('track' as const), fields: browser, named: anybody }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        type: fc.constant('identify' as const),
        fields: browser,
        named: anybody,
        also: fc.constantFrom([] as const, 'partner' as const, 'partner' as const),
        updateOnly: fc.constant(false),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('split' as const),
        named: anybody,
        visitors: fc.subarray(['x', 'y']),
        names: anybody.map((each) => [each]),
        into: fc.option(anybody, { nil: null, freq: 1 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constantFrom('delete', 'delete', 'delete', 'suppress', 'unsuppress'),
        named: anybody,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('merge' as const), named: anybody, other: anybody }),
    },
  );
}

/** Who moves next, who dies: read by the world. Shrinks in length only, as its numbers mean nothing by themselves. */
export const schedule = fc.array(fc.noShrink(fc.nat(1_000)), { maxLength: 160, size: 'max' });

export function settingsAfter(
  before: WorkspaceSettings,
  { guards: own, ...rest }: SettingsChange,
): WorkspaceSettings {
  return { ...before, ...rest, guards: { ...before.guards, ...own } };
}
export function settingsAtStart({ guards: own }: History): WorkspaceSettings {
  return settingsAfter(defaultSettings, { guards: own });
}

/** A record that many write is made in one place, and the maker and the schema agree on what is left out. */
import { describe, expect, test } from '@jest/globals';
import { goldenFiles, schemaOf } from '../services/testing/golden-records.ts';
import { activity } from './activity.ts';
import { localCodecs } from './codec.ts';
import { collectedEvent } from './collected-event.ts';
import { deadLetter } from './dead-letter.ts';
import { droppedEvent } from './dropped-event.ts';
import { identityDecision } from './identity-decision.ts';
import { identityRequest } from './identity-request.ts';
import { keyChange } from './key-change.ts';
import { mergedEvent, watermarkRecord } from './merged-event.ts';
import type { Records } from './records.ts';

type Made = { readonly [Name in keyof Records]?: (fields: Records[Name]) => Records[Name] };
const makers = {
  Activity: activity,
  CollectedEvent: collectedEvent,
  DeadLetter: deadLetter,
  DroppedEvent: droppedEvent,
  IdentityDecision: identityDecision,
  IdentityRequest: identityRequest,
  KeyChange: keyChange,
  MergedEvent: mergedEvent,
} satisfies Made;
const each = Object.entries(makers) as unknown as [
  name: keyof typeof makers,
  make: (fields: Readonly<Record<string, unknown>>) => unknown, // of its own record, which a list cannot say
][];

describe.each(each)('%s', (name, make) => {
  test('that is told whole is what was told', () => {
    for (const { value } of goldenFiles(name).at(-1)?.cases ?? []) expect(make(value)).toEqual(value);
  });

  test('that is told only what it must be is for the rest as the schema says', () => {
    const fields = schemaOf(name).fields ?? [];
    const [value] =
      goldenFiles(name)
        .at(-1)
        ?.cases.map((one) => one.value) ?? [];
    const must = fields.filter((field) => field.default === undefined).map(({ name: field }) => field);
    const told = Object.fromEntries(must.map((field) => [field, value?.[field]]));
    const rest = Object.fromEntries(fields.map((field) => [field.name, field.default]));
    expect(make(told)).toEqual({ ...rest, ...told });
  });
});

test('a watermark on events.merged says a partition and a time, and nothing of anybody', () => {
  expect(watermarkRecord(3, 17)).toEqual({
    kind: 'watermark',
    workspace: '',
    person_id: '',
    merged_at: 17,
    previously_anonymous: false,
    source_partition: 3,
    other_person_id: null,
    fact_number: null,
    known_as_of: null,
    known_id: null,
    known_email: null,
    decided_as_of: 0,
    event: null,
  });
  const bytes = localCodecs().MergedEvent.encode(watermarkRecord(3, 17));
  expect(bytes.subarray(5).toString('hex')).toBe('0200002200020600000000000000');
});

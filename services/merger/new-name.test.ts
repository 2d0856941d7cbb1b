/** Lanes and identity together: a person gets another id or email by the path of their cio_id (spec C.3, identifiers). */
import { describe, expect, test } from '@jest/globals';
import { toWorkspace } from '../../schemas/ids.ts';
import { everything, ListedMerger } from '../testing/model/listed-merger.ts';
import { of, type Given, type Output } from '../testing/processor-harness.ts';
import { identify, T, track, visit } from '../testing/scenarios/lanes-scenario.ts';
import { releaseEventsMax } from './decide/limits.ts';

class Merger {
  readonly #merger = new ListedMerger(toWorkspace('shop'), 1);
  readonly lanes = this.#merger.of(0).harness;
  #time = T;

  /** Feeds what was collected and plays the two against each other until nobody asks; what was merged. */
  collect(...records: readonly Given[]): string[] {
    const merged: string[] = [];
    const { decisions } = this.#merger.of(0);
    for (const record of records) this.#merger.write(0, record);
    do {
      const time = ++this.#time;
      merged.push(...told(this.#merger.runLanes(0, time, everything)));
      merged.push(...told(this.#merger.idleLanes(0, time)));
      if (this.#merger.requests.length > 0) this.#merger.runIdentity(time, Infinity);
    } while (decisions.length > 0);
    return merged;
  }
}

/** `cio_…: message` of each merged event, with the identifiers that identity said the person has, where it was asked. */
function told(out: readonly Output[]): string[] {
  return of('eventsMerged', out).map(({ value }) => {
    const { person_id: person, event, known_as_of: asOf, known_id: id, known_email: email } = value;
    const known = asOf === null ? '' : ` as ${id ?? '-'} ${email ?? '-'}`;
    return `${person}: ${event?.message_id ?? ''}${known}`;
  });
}

/** `PUT /customers/cio_…` */
function rename(cioId: string, to: { id?: string; email?: string }, message: string): Given {
  const named = { identifier_kind: 'cio_id', identifier: cioId, cio_id: cioId } as const;
  return identify('desk', '', T, { ...named, id: null, message_id: message, ...to });
}

describe('a person who gets another id by cio_id', () => {
  const known = () => {
    const merger = new Merger();
    const [first = ''] = merger.collect(identify('phone', '42', T, { message_id: 'i1' }));
    return { merger, person: first.slice(0, first.indexOf(':')) };
  };

  test('is found by the new one, and lanes that knew the old one ask again: it is nobody’s', () => {
    const { merger, person } = known();
    expect(merger.collect(track('phone', '42', 't1', T))).toEqual([`${person}: t1`]);
    expect(merger.collect(rename(person, { id: '43' }, 'r'))).toEqual([`${person}: r as 43 -`]);
    const [stranger = ''] = merger.collect(track('phone', '42', 't2', T));
    expect(stranger).toMatch(/: t2 as 42 -$/);
    expect(stranger).not.toContain(person);
    expect(merger.collect(track('phone', '43', 't3', T))).toEqual([`${person}: t3 as 43 -`]);
  });

  test('is not sent an identify of the old id that lanes had decided, nor after a restart', () => {
    const { merger, person } = known();
    expect(merger.collect(identify('phone', '42', T, { message_id: 'i2' }))).toEqual([`${person}: i2`]);
    merger.collect(rename(person, { id: '43' }, 'r'));
    merger.lanes.reopen();
    const [stranger = ''] = merger.collect(identify('phone', '42', T, { message_id: 'i3' }));
    expect(stranger).toMatch(/: i3 as 42 -$/);
    expect(stranger).not.toContain(person);
  });

  test('keeps the visitors that they claimed, within the five minutes', () => {
    const { merger, person } = known();
    merger.collect(rename(person, { id: '43' }, 'r'));
    expect(merger.collect(visit('phone', 'v', T + 1))).toEqual([`${person}: v`]);
  });

  test('and another email likewise', () => {
    const { merger, person } = known();
    merger.collect(identify('phone', '42', T, { message_id: 'i2', email: 'old@example.com' }));
    const byEmail = { identifier_kind: 'email', identifier: 'old@example.com' } as const;
    expect(merger.collect(visit('phone', 't1', T, byEmail))).toEqual([`${person}: t1 as 42 old@example.com`]);
    expect(merger.collect(visit('phone', 't2', T, byEmail))).toEqual([`${person}: t2`]);
    expect(merger.collect(rename(person, { email: 'new@example.com' }, 'r'))).toEqual([
      `${person}: r as 42 new@example.com`,
    ]);
    const [stranger = ''] = merger.collect(visit('phone', 't3', T, byEmail));
    expect(stranger).toMatch(/: t3 as - old@example.com$/);
    expect(stranger).not.toContain(person);
  });
});

test('what identity said goes out with the identify at the end of a release of several batches', () => {
  const merger = new Merger();
  const past = Array.from({ length: releaseEventsMax + 10 }, (_, at) => visit('x', `v${String(at)}`, T));
  const merged = merger.collect(...past, identify('x', '42', T, { message_id: 'i', email: 'a@b.c' }));
  expect(merged).toHaveLength(past.length + 1);
  expect(merged.filter((line) => line.includes(' as '))).toEqual([expect.stringMatching(/: i as 42 a@b.c$/)]);
  expect(merged.at(-1)).toMatch(/: i as /);
});

describe('an identify whose email is somebody else’s', () => {
  test('is merged with the identifiers that the person has; the history before it says nothing', () => {
    const merger = new Merger();
    merger.collect(identify('a', '1', T, { message_id: 'i1', email: 'Ann@example.com' }));
    const merged = merger.collect(
      visit('b', 'v', T),
      identify('b', '2', T, { message_id: 'i2', email: 'ann@example.com' }),
    );
    expect(merged.map((line) => line.slice(line.indexOf(':')))).toEqual([': v', ': i2 as 2 -']);
  });
});

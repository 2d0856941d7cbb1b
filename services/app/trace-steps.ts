/** Rows of ClickHouse as the steps of a story. Pure. */
import { parseExactly } from '../runtime/exact-json.ts';

export type Row = Readonly<Record<string, unknown>>;

/** In the order in which they follow each other when they share a time. */
const STAGES = [
  'received',
  'waiting',
  'asked',
  'claimed',
  'refused',
  'merged',
  'dropped',
  'segment',
  'journey',
  'skipped',
  'message',
] as const;
export type Stage = (typeof STAGES)[number];

/** By when a stage happened, or with events at their own time. */
export type Order = 'at' | 'timestamp';

export interface Step {
  /** When the stage happened, by receive time; ISO 8601. */
  readonly at: string;
  /** Of an event: its own time; ISO 8601. */
  readonly timestamp?: string;
  readonly stage: Stage;
  readonly message_id?: string;
  readonly name?: string;
  readonly person_id?: string;
  /** A code of schemas/reasons.ts. */
  readonly reason?: string;
  readonly detail?: unknown;
}

export interface TraceTables {
  readonly waiting: readonly Row[];
  readonly merged: readonly Row[];
  readonly facts: readonly Row[];
  readonly dropped: readonly Row[];
  readonly failures: readonly Row[];
  readonly segments: readonly Row[];
  readonly journeys: readonly Row[];
  /** Triggers that led to no entry. */
  readonly skips: readonly Row[];
}

interface Placed {
  /** ms */
  readonly at: number;
  /** Place on its topic or in its log, for what shares a time and a stage. */
  readonly place: number;
  readonly step: Omit<Step, 'at'>;
}

export function stepsOf(tables: TraceTables, order: Order = 'at'): readonly Step[] {
  const placed = [
    ...tables.waiting.flatMap(waitingSteps),
    ...tables.merged.flatMap(mergedSteps),
    ...factSteps(tables.facts),
    ...tables.dropped.flatMap(droppedSteps),
    ...failureSteps(tables),
    ...tables.segments.map(segmentStep),
    ...tables.journeys.map(journeyStep),
    ...tables.skips.map(skipStep),
  ];
  const timeOf = ({ at, step: { timestamp } }: Placed): number =>
    order === 'timestamp' && timestamp !== undefined ? Date.parse(timestamp) : at;
  return placed
    .sort((a, b) => timeOf(a) - timeOf(b) || rank(a.step.stage) - rank(b.step.stage) || a.place - b.place)
    .map(({ at, step }) => ({ at: new Date(at).toISOString(), ...step }));
}

function waitingSteps(row: Row): Placed[] {
  const seen = eventOf(row);
  const at = numberOf(row['received_at']);
  return [placed(at, { stage: 'received', ...seen }), placed(at, { stage: 'waiting', ...seen })];
}

/** What was merged in the moment in which it came never waited. */
function mergedSteps(row: Row): Placed[] {
  const seen = eventOf(row);
  const receivedAt = numberOf(row['received_at']);
  const mergedAt = numberOf(row['merged_at']);
  const place = numberOf(row['place']);
  const previouslyAnonymous = row['previously_anonymous'] === true;
  const merged = { stage: 'merged', ...seen, ...text('person_id', row['person_id']) } as const;
  const steps = [
    placed(receivedAt, { stage: 'received', ...seen }, place),
    placed(
      mergedAt,
      { ...merged, detail: { ...seen.detail, previously_anonymous: previouslyAnonymous } },
      place,
    ),
  ];
  if (previouslyAnonymous && receivedAt < mergedAt) {
    steps.push(placed(receivedAt, { stage: 'waiting', ...seen }, place));
  }
  return steps;
}

/** The facts of one call: identity was asked, and what it accepted; a claim is told by itself. */
function factSteps(rows: readonly Row[]): Placed[] {
  const calls = new Map<string, Row[]>();
  for (const row of rows) {
    const call = `${String(row['message_id'])}/${String(row['at'])}`;
    calls.set(call, [...(calls.get(call) ?? []), row]);
  }
  return [...calls.values()].flatMap((facts) => {
    const inOrder = [...facts].sort((a, b) => numberOf(a['number']) - numberOf(b['number']));
    const [first = {}] = inOrder;
    const messageId = text('message_id', first['message_id']);
    const place = numberOf(first['number']);
    const asked = { stage: 'asked', ...messageId, detail: { facts: inOrder.map(factOf) } } as const;
    const claims = inOrder.filter((fact) => fact['kind'] === 'anonymous_claimed');
    return [
      placed(numberOf(first['at']), asked, place),
      ...claims.map((fact) => {
        const step = { stage: 'claimed', ...messageId, ...text('person_id', fact['person_id']) } as const;
        return placed(numberOf(fact['at']), { ...step, detail: factOf(fact) }, numberOf(fact['number']));
      }),
    ];
  });
}

function factOf(row: Row) {
  const names = row['identifier_kind'] === 'none' ? {} : text('identifier_kind', row['identifier_kind']);
  return {
    fact: row['kind'],
    number: numberOf(row['number']),
    ...text('person_id', row['person_id']),
    ...text('other_person_id', row['other_person_id']),
    ...names,
    ...text('identifier', row['identifier']),
  };
}

/** What identity would not do is a refusal; all else was dropped on the way. */
function droppedSteps(row: Row): Placed[] {
  const at = numberOf(row['at']);
  const step = {
    ...text('message_id', row['message_id']),
    ...text('person_id', row['person_id']),
    ...text('reason', row['reason']),
    detail: { by: row['stage'], ...parsed(row['detail']) },
  };
  // It was taken, only not as it was sent.
  if (row['reason'] === 'corrected') return [placed(at, { stage: 'received', ...step })];
  if (row['stage'] !== 'identity') return [placed(at, { stage: 'dropped', ...step })];
  return [
    placed(at, { stage: 'asked', ...text('message_id', row['message_id']) }),
    placed(at, { stage: 'refused', ...step }),
  ];
}

/** A refusal may have left a row as well: it is told once. */
function failureSteps({ failures, dropped }: TraceTables): Placed[] {
  const callOf = (row: Row): string => `${String(row['message_id'])}/${String(row['reason'])}`;
  const told = new Set(dropped.filter((row) => row['stage'] === 'identity').map(callOf));
  return failures
    .filter((row) => !told.has(callOf(row)))
    .map((row) =>
      placed(numberOf(row['at']), {
        stage: 'refused',
        ...text('message_id', row['message_id']),
        ...text('person_id', row['person_id']),
        ...text('reason', row['reason']),
        detail: { activity: row['kind'], ...parsed(row['detail']) },
      }),
    );
}

function segmentStep(row: Row): Placed {
  return placed(numberOf(row['at']), {
    stage: 'segment',
    ...text('message_id', row['message_id']),
    ...text('name', row['segment_id']),
    ...text('person_id', row['person_id']),
    detail: { change: row['change'] },
  });
}

function journeyStep(row: Row): Placed {
  return placed(numberOf(row['at']), {
    stage: 'journey',
    ...text('message_id', row['message_id']),
    ...text('name', row['journey_id']),
    ...text('person_id', row['person_id']),
    detail: { rule_version: numberOf(row['rule_version']) },
  });
}

function skipStep(row: Row): Placed {
  return placed(numberOf(row['at']), {
    stage: 'skipped',
    ...text('message_id', row['message_id']),
    ...text('name', row['journey_id']),
    ...text('person_id', row['person_id']),
    ...text('reason', row['reason']),
    detail: { rule_version: numberOf(row['rule_version']), ...parsed(row['detail']) },
  });
}

function eventOf(row: Row) {
  return {
    timestamp: new Date(numberOf(row['own_time'])).toISOString(),
    ...text('message_id', row['message_id']),
    ...text('name', row['name']),
    detail: { ...text('type', row['type']), ...text('anonymous_id', row['anonymous_id']) },
  };
}

function placed(at: number, step: Placed['step'], place = 0): Placed {
  return { at, place, step };
}

function rank(stage: Stage): number {
  return STAGES.indexOf(stage);
}

function text<const Name extends string>(name: Name, value: unknown): { readonly [Key in Name]?: string } {
  return typeof value === 'string' && value !== ''
    ? ({ [name]: value } as { readonly [Key in Name]?: string }) // a computed key widens to string
    : {};
}

/** 64-bit numbers may come as text. */
function numberOf(value: unknown): number {
  const number = Number(value);
  return Number.isFinite(number) ? number : 0;
}

function parsed(detail: unknown): object {
  if (typeof detail !== 'string') return {};
  try {
    const value: unknown = parseExactly(detail);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return { text: detail };
  }
}

/**
 * What events have looked like lately: names, properties, their types, since when, and what breaks the workspace's schemas
 * or drifts (spec E row 95). From how often each shape of an event came, so that no event is read again. Pure.
 */
import { EventNames, foldedName } from '../../runtime/event-names.ts';
import type { EventSchema, PropertyType, WorkspaceSettings } from '../../runtime/workspace-settings.ts';

/** Events of one name, spelling and shape. */
export interface ShapeRow {
  readonly name: string;
  /** What the client called it; empty: the name itself. */
  readonly asSent: string;
  /** `property:type` in the order of the names, with the ASCII unit separator between them (migration 0004). */
  readonly shape: string;
  readonly events: number;
  /** ms */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly example: string;
}

type Kind = PropertyType | 'null';

const KINDS: Readonly<Record<string, Kind>> = {
  '"': 'text',
  '0': 'number',
  b: 'boolean',
  n: 'null',
  '{': 'object',
  '[': 'list',
};
const SEPARATOR = '\u001f';
const DAY_MS = 86_400_000;

interface Seen {
  events: number;
  firstAt: number;
  lastAt: number;
}

interface Known extends Seen {
  readonly spellings: Map<string, number>;
  readonly properties: Map<string, Map<Kind, Seen>>;
  readonly violations: Map<string, Violation>;
}

interface Violation {
  readonly property: string;
  readonly rule: 'required' | 'type';
  /** Of a type: what it is to be. */
  readonly expected: PropertyType | null;
  events: number;
  /** Message id of one of them. */
  readonly example: string;
}

export interface Drift {
  readonly event: string;
  readonly drift: 'several_names' | 'several_types' | 'appeared' | 'gone';
  readonly property: string | null;
  readonly detail: string;
}

type Schemas = Pick<WorkspaceSettings, 'event_names' | 'event_schemas'>;

export function schemaReport(rows: readonly ShapeRow[], { event_names, event_schemas }: Schemas) {
  const events = new Map<string, Known>();
  for (const row of rows) {
    const known = events.get(row.name) ?? fresh();
    events.set(row.name, known);
    add(known, row, event_schemas[row.name]);
  }
  const names = new EventNames({ ...event_names, preset: 'storefront' });
  const drift = [
    ...severalNames([...events.keys()], names),
    ...[...events].flatMap(([name, known]) => driftOf(name, known)),
  ];
  return {
    events: [...events].map(([name, known]) => shown(name, known)),
    violations: [...events.values()].flatMap(({ violations }) => [...violations.values()]).length,
    drift,
  };
}

function fresh(): Known {
  const seen = { events: 0, firstAt: Infinity, lastAt: -Infinity };
  return { ...seen, spellings: new Map(), properties: new Map(), violations: new Map() };
}

function add(known: Known, row: ShapeRow, schema: EventSchema | undefined): void {
  count(known, row);
  const spelling = row.asSent === '' ? row.name : row.asSent;
  known.spellings.set(spelling, (known.spellings.get(spelling) ?? 0) + row.events);
  const kinds = kindsIn(row.shape);
  for (const [property, kind] of kinds) {
    const types = known.properties.get(property) ?? new Map<Kind, Seen>();
    known.properties.set(property, types);
    const seen = types.get(kind) ?? { events: 0, firstAt: Infinity, lastAt: -Infinity };
    types.set(kind, seen);
    count(seen, row);
  }
  if (schema !== undefined) check(known, row, { schema, kinds });
}

function count(seen: Seen, { events, firstAt, lastAt }: ShapeRow): void {
  seen.events += events;
  seen.firstAt = Math.min(seen.firstAt, firstAt);
  seen.lastAt = Math.max(seen.lastAt, lastAt);
}

function kindsIn(shape: string): ReadonlyMap<string, Kind> {
  const entries = shape.split(SEPARATOR).flatMap((entry): readonly (readonly [string, Kind])[] => {
    const kind = KINDS[entry.slice(-1)];
    return kind === undefined || entry.at(-2) !== ':' ? [] : [[entry.slice(0, -2), kind]];
  });
  return new Map(entries);
}

function check(
  known: Known,
  row: ShapeRow,
  { schema, kinds }: { readonly schema: EventSchema; readonly kinds: ReadonlyMap<string, Kind> },
): void {
  const note = (property: string, rule: Violation['rule'], expected: PropertyType | null) => {
    const key = `${rule} ${property}`;
    const violation = known.violations.get(key) ?? {
      property,
      rule,
      expected,
      events: 0,
      example: row.example,
    };
    violation.events += row.events;
    known.violations.set(key, violation);
  };
  for (const property of schema.required) {
    if ((kinds.get(property) ?? 'null') === 'null') note(property, 'required', null);
  }
  for (const [property, expected] of Object.entries(schema.types)) {
    const kind = kinds.get(property) ?? 'null';
    if (kind !== 'null' && kind !== expected) note(property, 'type', expected);
  }
}

function shown(event: string, known: Known) {
  const { spellings, properties, violations } = known;
  return {
    event,
    ...seenOf(known),
    names: [...spellings].map(([name, events]) => ({ name, events })),
    properties: [...properties].map(([property, types]) => {
      const events = [...types.values()].reduce((sum, seen) => sum + seen.events, 0);
      return {
        property,
        events,
        missing: known.events - events,
        types: [...types].map(([type, seen]) => ({ type, ...seenOf(seen) })),
      };
    }),
    violations: [...violations.values()],
  };
}

function seenOf({ events, firstAt, lastAt }: Seen) {
  return {
    events,
    first_seen_at: new Date(firstAt).toISOString(),
    last_seen_at: new Date(lastAt).toISOString(),
  };
}

/** Names that are kept apart and read like one: whether they are is for people to say. */
function severalNames(kept: readonly string[], names: EventNames): readonly Drift[] {
  const groups = new Map<string, string[]>();
  for (const name of kept) {
    const spelled = foldedName(names.of(name)) || name;
    groups.set(spelled, [...(groups.get(spelled) ?? []), name]);
  }
  return [...groups.values()].flatMap((group): readonly Drift[] => {
    const [event, ...others] = group;
    if (event === undefined || others.length === 0) return [];
    const detail = `also comes as ${others.join(', ')}: name them in event_names if they are one event`;
    return [{ event, drift: 'several_names', property: null, detail }];
  });
}

function driftOf(event: string, known: Known): readonly Drift[] {
  return [...known.properties].flatMap(([property, types]): readonly Drift[] => {
    const said = [...types].filter(([kind]) => kind !== 'null');
    const all = said.map(([, seen]) => seen);
    if (all.length === 0) return [];
    const firstAt = Math.min(...all.map((seen) => seen.firstAt));
    const lastAt = Math.max(...all.map((seen) => seen.lastAt));
    const drifts: Drift[] = [];
    const note = (drift: Drift['drift'], detail: string) => drifts.push({ event, drift, property, detail });
    if (said.length > 1) {
      const texts = said.map(
        ([kind, { events, lastAt: at }]) => `${kind} ${String(events)} times until ${iso(at)}`,
      );
      note('several_types', `is ${texts.join(', ')}`);
    }
    if (firstAt - known.firstAt >= DAY_MS) {
      note('appeared', `came first at ${iso(firstAt)}, the event at ${iso(known.firstAt)}`);
    }
    if (known.lastAt - lastAt >= DAY_MS) {
      note('gone', `came last at ${iso(lastAt)}, the event at ${iso(known.lastAt)}`);
    }
    return drifts;
  });
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

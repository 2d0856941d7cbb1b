/**
 * What the door has seen, for whoever watches (`GET /v1/live`): the last calls, and every call as it comes. A reader
 * is told a bounded number a second and the rest is counted, so that watching costs ingest next to nothing.
 */
import type { Workspace } from '../../../schemas/ids.ts';
import type { CallFilter, LiveReader, LiveSource } from '../../app/ports.ts';
import type { Sighting } from '../../runtime/sighting.ts';
import type { QuietLog } from '../quiet-log.ts';
import type { RefusalCounts } from './refusal-counts.ts';
import type { Traffic } from './traffic.ts';
import { UnknownCallers } from './unknown-callers.ts';

/** Of a workspace: a loud one pushes out no other's. Each has a few short texts. */
export const recentCallsMax = 200;
/** Whose last calls are kept; of one more, those of whoever was heard longest ago go. */
export const recentWorkspacesMax = 100;
/** Of one request; the rest of a batch is told to readers that are there, and not kept. */
const recentOfRequestMax = 100;
export const readersPerWorkspaceMax = 10;
export const readersMax = 50;
export const toldPerSecondMax = 500;
const SECOND_MS = 1_000;

export interface LiveCallsOptions {
  readonly refusals: RefusalCounts;
  readonly traffic?: Pick<Traffic, 'count'>;
  readonly log?: Pick<QuietLog, 'say'>;
  readonly monotonicMs?: () => number;
  /** As the constant of that name, unless a test says otherwise. */
  readonly toldPerSecondMax?: number;
}

/** A ring. */
interface Recent {
  readonly calls: Sighting[];
  next: number;
  /** ms; of the last one kept that was answered 401 or that no route took: no rate is charged for these, and they fill no ring. */
  turnedAwayAt: number;
}
const nothing: Readonly<Recent> = { calls: [], next: 0, turnedAwayAt: -Infinity };

interface Reading {
  readonly workspace: Workspace;
  readonly filter: CallFilter;
  readonly reader: LiveReader;
  secondBeganMs: number;
  told: number;
  skipped: number;
}

export class LiveCalls implements LiveSource {
  readonly #refusals: RefusalCounts;
  readonly #traffic: Pick<Traffic, 'count'> | undefined;
  readonly #log: Pick<QuietLog, 'say'> | undefined;
  readonly #unknown = new UnknownCallers();
  readonly #toldMax: number;
  readonly #monotonicMs: () => number;
  /** In the order in which they were heard last. */
  readonly #recent = new Map<Workspace, Recent>();
  #heardLast: Workspace | undefined;
  readonly #readings = new Set<Reading>();

  constructor({ refusals, traffic, log, monotonicMs, toldPerSecondMax: toldMax }: LiveCallsOptions) {
    this.#refusals = refusals;
    this.#traffic = traffic;
    this.#log = log;
    this.#monotonicMs = monotonicMs ?? (() => performance.now());
    this.#toldMax = toldMax ?? toldPerSecondMax;
  }

  saw(sightings: readonly Sighting[]): void {
    for (const sighting of sightings) {
      this.#refusals.count(sighting);
      this.#traffic?.count(sighting);
      if (sighting.status === 401 && sighting.workspace === null) this.#unknown.count(sighting.at);
    }
    this.#keep(sightings.slice(0, recentOfRequestMax));
    if (this.#readings.size === 0) return;
    for (const sighting of sightings) this.#tell(sighting);
  }

  /** JSON, oldest first. */
  recent(workspace: Workspace, filter: CallFilter): readonly string[] {
    const { calls, next } = this.#recent.get(workspace) ?? nothing;
    return [...calls.slice(next), ...calls.slice(0, next)]
      .filter((sighting) => matches(sighting, workspace, filter))
      .map((sighting) => JSON.stringify(shown(sighting)));
  }

  /** Counted beside what calls were refused, so that who was cut finds out why. */
  cut(workspace: Workspace, key: string): void {
    this.#log?.say('warn', 'live_reader_cut', 'a reader of live calls did not keep up and was cut off', {
      workspace,
      key,
    });
    this.#refusals.count({
      at: Date.now(),
      workspace,
      key,
      route: 'GET /v1/live',
      status: 200,
      answered: 'dropped',
      reason: 'live_reader_cut',
      message: 'the reader did not keep up, and was cut off',
      type: null,
      name: null,
      messageId: null,
      anonymousId: null,
      identifier: null,
    });
  }

  refusals(workspace: Workspace | null): readonly unknown[] {
    return this.#refusals.list(workspace).map(({ last, ...kind }) => ({ ...kind, last: shown(last) }));
  }

  unknownCallsOfHour(): number {
    return this.#unknown.lastHour(Date.now());
  }

  /** @returns what ends it; undefined: there are too many readers. */
  follow(workspace: Workspace, filter: CallFilter, reader: LiveReader): (() => void) | undefined {
    const ofWorkspace = [...this.#readings].filter((each) => each.workspace === workspace).length;
    if (ofWorkspace >= readersPerWorkspaceMax || this.#readings.size >= readersMax) return undefined;
    const reading = { workspace, filter, reader, secondBeganMs: -Infinity, told: 0, skipped: 0 };
    this.#readings.add(reading);
    return () => {
      this.#readings.delete(reading);
    };
  }

  get readers(): number {
    return this.#readings.size;
  }

  /** Of one request, whose calls are all of one workspace; callers who are not known are counted, not kept. */
  #keep(sightings: readonly Sighting[]): void {
    const workspace = sightings[0]?.workspace ?? null;
    if (workspace === null) return;
    const recent = this.#recent.get(workspace) ?? { ...nothing, calls: [] };
    for (const sighting of sightings) {
      if (sighting.status === 401 || (sighting.status === 404 && sighting.reason === 'not_found')) {
        if (sighting.at - recent.turnedAwayAt < SECOND_MS) continue;
        recent.turnedAwayAt = sighting.at;
      }
      recent.calls[recent.next] = sighting;
      recent.next = (recent.next + 1) % recentCallsMax;
    }
    // Mostly it is the one that was heard last, and each deletion would leave a table behind (runtime/line.ts).
    if (this.#heardLast === workspace) return;
    this.#heardLast = workspace;
    this.#recent.delete(workspace);
    this.#recent.set(workspace, recent);
    if (this.#recent.size <= recentWorkspacesMax) return;
    const [oldest] = this.#recent.keys();
    if (oldest !== undefined) this.#recent.delete(oldest);
  }

  #tell(sighting: Sighting): void {
    let text: string | undefined;
    for (const reading of this.#readings) {
      if (!matches(sighting, reading.workspace, reading.filter)) continue;
      if (!this.#mayTell(reading)) continue;
      text ??= JSON.stringify(shown(sighting));
      reading.reader.call(text);
    }
  }

  #mayTell(reading: Reading): boolean {
    const now = this.#monotonicMs();
    if (now - reading.secondBeganMs >= SECOND_MS) {
      if (reading.skipped > 0) reading.reader.skipped(reading.skipped);
      Object.assign(reading, { secondBeganMs: now, told: 0, skipped: 0 });
    }
    if (reading.told >= this.#toldMax) {
      reading.skipped++;
      return false;
    }
    reading.told++;
    return true;
  }
}

function matches(sighting: Sighting, workspace: Workspace, filter: CallFilter): boolean {
  return (
    sighting.workspace === workspace &&
    (filter.key === undefined || sighting.key === filter.key) &&
    (filter.visitor === undefined || sighting.anonymousId === filter.visitor) &&
    (filter.person === undefined || sighting.identifier === filter.person) &&
    (filter.answered === undefined || sighting.answered === filter.answered)
  );
}

/** As it is told: names of the API. */
function shown(sighting: Sighting) {
  const { at, key, route, status, answered, reason, message, type, name } = sighting;
  return {
    at: new Date(at).toISOString(),
    key,
    route,
    status,
    answered,
    reason,
    message,
    type,
    name,
    message_id: sighting.messageId,
    anonymous_id: sighting.anonymousId,
    identifier: sighting.identifier,
  };
}

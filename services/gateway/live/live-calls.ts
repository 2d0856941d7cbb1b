/**
 * What the door has seen, for whoever watches (`GET /v1/live`): the last calls, and every call as it comes. A reader
 * is told a bounded number a second and the rest is counted, so that watching costs ingest next to nothing.
 */
import type { Workspace } from '../../../schemas/ids.ts';
import type { CallFilter, LiveReader, LiveSource } from '../../app/ports.ts';
import type { Sighting } from '../../runtime/sighting.ts';
import type { QuietLog } from '../quiet-log.ts';
import type { RefusalCounts } from './refusal-counts.ts';

/** Of all workspaces together. Each has a few short texts. */
export const recentCallsMax = 1_000;
/** Of one request; the rest of a batch is told to readers that are there, and not kept. */
const recentOfRequestMax = 100;
export const readersPerWorkspaceMax = 10;
export const readersMax = 50;
export const toldPerSecondMax = 500;
const SECOND_MS = 1_000;

export interface LiveCallsOptions {
  readonly refusals: RefusalCounts;
  readonly log?: Pick<QuietLog, 'say'>;
  readonly monotonicMs?: () => number;
  /** As the constant of that name, unless a test says otherwise. */
  readonly toldPerSecondMax?: number;
}

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
  readonly #log: Pick<QuietLog, 'say'> | undefined;
  readonly #toldMax: number;
  readonly #monotonicMs: () => number;
  readonly #recent: Sighting[] = [];
  #next = 0;
  readonly #readings = new Set<Reading>();

  constructor({ refusals, log, monotonicMs, toldPerSecondMax: toldMax }: LiveCallsOptions) {
    this.#refusals = refusals;
    this.#log = log;
    this.#monotonicMs = monotonicMs ?? (() => performance.now());
    this.#toldMax = toldMax ?? toldPerSecondMax;
  }

  saw(sightings: readonly Sighting[]): void {
    for (const sighting of sightings) this.#refusals.count(sighting);
    for (const sighting of sightings.slice(0, recentOfRequestMax)) {
      this.#recent[this.#next] = sighting;
      this.#next = (this.#next + 1) % recentCallsMax;
    }
    if (this.#readings.size === 0) return;
    for (const sighting of sightings) this.#tell(sighting);
  }

  /** JSON, oldest first. */
  recent(workspace: Workspace, filter: CallFilter): readonly string[] {
    const inOrder = [...this.#recent.slice(this.#next), ...this.#recent.slice(0, this.#next)];
    return inOrder
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

/**
 * How far every lane partition has come: the trigger's time is the least of them. A lane partition says first of each
 * workspace that is behind how far that one is, and then how far all others are, so that a workspace with very much in
 * hand keeps its own timers waiting and nobody else's. What it had said of one and does not say again, is as of what it
 * says of all.
 */
import type { KeyedStore } from '../runtime/store/ports.ts';

/** More than a partition tells of; beyond it the time of all stands, so that nothing is told too early. */
export const behindMax = 1_000;
const TIME_BYTES = 8;

/** What one lane partition has said. */
interface Source {
  /** ms, of whoever is not behind. */
  readonly time: number;
  /** ms by workspace, below `time`. */
  readonly behind: ReadonlyMap<string, number>;
  /** Said of workspaces since it last spoke of all. */
  readonly told: ReadonlyMap<string, number>;
}
const nothing: Source = { time: 0, behind: new Map(), told: new Map() };

export class Watermarks {
  readonly #store: KeyedStore;
  readonly #sources: Source[];
  #time = 0;
  #anyBehind = false;

  /** @param sources lane partitions, each of which writes watermarks to every partition of events.merged. */
  constructor(sources: number, store: KeyedStore) {
    this.#store = store;
    this.#sources = Array.from({ length: sources }, (_, source) => decode(store.get(keyOf(source))));
    this.#summed();
  }

  /** Of a workspace, or of all others (''). A time that goes back is an old one read again. */
  take(source: number | null, workspace: string, time: number): void {
    const before = source === null ? undefined : this.#sources[source];
    if (source === null || before === undefined) return;
    const after = workspace === '' ? ofAll(before, time) : ofOne(before, workspace, time);
    this.#sources[source] = after;
    this.#store.put(keyOf(source), encode(after));
    this.#summed();
  }

  /** ms; every event received before it has been read, but of workspaces that are behind. 0 until all have said something. */
  get time(): number {
    return this.#time;
  }

  /** ms; every event of the workspace received before it has been read. */
  of(workspace: string): number {
    if (!this.#anyBehind) return this.#time;
    return Math.min(...this.#sources.map(({ time, behind }) => behind.get(workspace) ?? time));
  }

  /** ms; every event received before it has been read, whosever it is. */
  get lowest(): number {
    return Math.min(this.#time, ...this.#sources.flatMap(({ behind }) => [...behind.values()]));
  }

  #summed(): void {
    this.#time = Math.min(...this.#sources.map(({ time }) => time));
    this.#anyBehind = this.#sources.some(({ behind }) => behind.size > 0);
  }
}

function ofOne({ time, behind, told }: Source, workspace: string, at: number): Source {
  return { time, behind, told: new Map([...told, [workspace, at]]) };
}

/** Nobody goes back, whoever began anew in between. */
function ofAll({ time: before, behind, told }: Source, at: number): Source {
  const workspaces = new Set([...behind.keys(), ...told.keys()]);
  const time = workspaces.size > behindMax ? before : Math.max(before, at);
  const now = new Map<string, number>();
  for (const workspace of workspaces) {
    const reached = Math.max(behind.get(workspace) ?? before, told.get(workspace) ?? at);
    if (reached < time) now.set(workspace, reached);
  }
  return { time, behind: now, told: new Map() };
}

function keyOf(source: number): string {
  return `w:${String(source)}`;
}

/** Of most nothing but the time. */
function encode({ time, behind, told }: Source): Buffer {
  const bytes = Buffer.allocUnsafe(TIME_BYTES);
  bytes.writeDoubleLE(time);
  if (behind.size === 0 && told.size === 0) return bytes;
  return Buffer.concat([bytes, Buffer.from(JSON.stringify([[...behind], [...told]]))]);
}

type Pairs = readonly (readonly [string, number])[];

function decode(bytes: Buffer | undefined): Source {
  if (bytes === undefined) return nothing;
  const time = bytes.readDoubleLE(0);
  if (bytes.length === TIME_BYTES) return { ...nothing, time };
  const [behind, told] = JSON.parse(bytes.toString('utf8', TIME_BYTES)) as [Pairs, Pairs]; // written by encode
  return { time, behind: new Map(behind), told: new Map(told) };
}

/** The gateway's server over fakes of its ports, for tests: what would have been sent is kept and decoded. */
import type { FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import { localCodecs } from '../../schemas/codec.ts';
import { toWorkspace, type Workspace } from '../../schemas/ids.ts';
import type { CollectedEvent, DroppedEvent, IdentityRequest } from '../../schemas/records.ts';
import type { TopicId } from '../../schemas/topics.ts';
import type { DefinitionsStore, KeyStore, RulesView, ServiceStatus } from '../app/plugin.ts';
import type { DefinitionKind, TableStore } from '../app/ports.ts';
import type { IngestOptions } from '../ingest/plugin.ts';
import { DefinitionVersions } from '../runtime/definition-versions.ts';
import { Definitions } from '../runtime/definitions.ts';
import type { Producer } from '../runtime/log/ports.ts';
import type { Logger } from '../runtime/logger.ts';
import { bodyBudgets, budgetStates, type BodyBudgets } from '../gateway/body-budget.ts';
import { LiveCalls } from '../gateway/live/live-calls.ts';
import { RefusalCounts } from '../gateway/live/refusal-counts.ts';
import { Doors, type DoorLimits } from '../gateway/door.ts';
import { QuietLog } from '../gateway/quiet-log.ts';
import { FairQueue } from '../gateway/questions/fair-queue.ts';
import { questionLimits } from '../gateway/questions/question-settings.ts';
import { plainIntake } from './plain-intake.ts';
import { buildServer, type ServerOptions } from '../gateway/server.ts';
import { countedPorts, type Usage } from '../gateway/usage/counted.ts';
import { usageOf } from '../gateway/usage/open-usage.ts';
import { WorkspaceBytes } from '../gateway/usage/workspace-bytes.ts';
import { segmentTypeOf } from '../runtime/segment-type.ts';
import { consentInto } from '../gateway/on-site.ts';
import { browserOf } from './gateway-pages.ts';
import { MemoryTables } from './memory-tables.ts';
import { noInApp, noRules } from './no-services.ts';
import { receiveTime } from '../ingest/receive-time.ts';
import { PageSigns, type OnSiteOptions } from '../on-site/plugin.ts';
import { settingsOf } from '../runtime/workspace-settings.ts';
import { memoryKeys } from './memory-keys.ts';

export const siteId = 'site_123';
export const apiKey = 'key_abc';
export const writeKey = 'wk_1';
/** Of kind browser; the other is of kind server. */
export const browserKey = 'bk_1';
export const appKey = 'appkey';
/** As credentials.json has them. */
export const keysOfShop = {
  site_id: siteId,
  api_key: apiKey,
  browser_key: browserKey,
  write_key: writeKey,
  app_key: appKey,
};
export const adminKey = 'admin_1';
export const trackAuth = `Basic ${Buffer.from(`${siteId}:${apiKey}`).toString('base64')}`;
export const pipelinesAuth = `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`;
export const browserAuth = `Basic ${Buffer.from(`${browserKey}:`).toString('base64')}`;
export const appAuth = `Bearer ${appKey}`;
export const workspace = toWorkspace('shop');

export interface SentRecord<Value> {
  readonly key: string;
  readonly value: Value;
}

export class FakeProducer implements Pick<Producer, 'send'> {
  readonly events: SentRecord<CollectedEvent>[] = [];
  readonly requests: SentRecord<IdentityRequest>[] = [];
  readonly dropped: SentRecord<DroppedEvent>[] = [];
  /** Markers of control calls by partition, with the number of their call. */
  readonly markers: (readonly [partition: number, number: string])[] = [];
  /** Every send in turn: a topic, or `marker`. */
  readonly order: (TopicId | 'marker')[] = [];
  /** Set: every send fails with it. */
  fault: Error | undefined;
  readonly #codecs = localCodecs();

  async send(topic: TopicId, key: Uint8Array, value: Uint8Array, partition = 0): Promise<number> {
    await Promise.resolve();
    if (this.fault !== undefined) throw this.fault;
    const text = Buffer.from(key).toString();
    const bytes = Buffer.from(value);
    const offset = this.order.length;
    if (topic === 'eventsCollected') {
      const event = this.#codecs.CollectedEvent.decode(bytes);
      this.order.push(event.type === 'marker' ? 'marker' : topic);
      if (event.type === 'marker') this.markers.push([partition, event.message_id]);
      else this.events.push({ key: text, value: event });
      return offset;
    }
    this.order.push(topic);
    if (topic === 'identityRequests') {
      this.requests.push({ key: text, value: this.#codecs.IdentityRequest.decode(bytes) });
    } else if (topic === 'eventsDropped') {
      this.dropped.push({ key: text, value: this.#codecs.DroppedEvent.decode(bytes) });
    } else throw new Error(`unexpected topic ${topic}`);
    return offset;
  }
}

const nextTurn = () => new Promise((done) => setImmediate(done));

/** The definitions topic, without a topic. */
export class FakeDefinitions implements DefinitionsStore {
  readonly #fold = new Definitions();
  readonly #former = new DefinitionVersions();
  readonly #versions = new Map<string, number>();
  #tail: Promise<unknown> = Promise.resolve();
  get offset(): number {
    return this.#fold.offset;
  }
  get clock(): number | undefined {
    return this.#fold.clock;
  }
  get: DefinitionsStore['get'] = (kind, name, id) => this.#fold.get(kind, name, id);
  list: DefinitionsStore['list'] = (kind, name) => this.#fold.list(kind, name);
  versions: DefinitionsStore['versions'] = (kind, name, id) => this.#former.of(kind, name, id);
  put: DefinitionsStore['put'] = (kind, name, id, { body, countMax = Infinity, mayStore }) =>
    this.#inTurn(() => {
      if (this.get(kind, name, id) === undefined && this.list(kind, name).length >= countMax)
        return undefined;
      if (mayStore?.() === false) return undefined;
      this.#apply(kind, name, id, JSON.stringify(body));
      return this.get(kind, name, id);
    });
  remove: DefinitionsStore['remove'] = (kind, name, id) =>
    this.#inTurn(() =>
      this.get(kind, name, id) === undefined ? undefined : this.#apply(kind, name, id, null),
    );
  advanceClockTo(time: number): Promise<void> {
    this.#fold.apply(this.offset, {
      kind: 'clock',
      workspace: '',
      id: 'clock',
      version: 1,
      deleted: false,
      at: time,
      body: null,
    });
    return Promise.resolve();
  }
  /** As with a topic: one write after the other, and each takes a while. */
  #inTurn<T>(write: () => T): Promise<T> {
    const turn = this.#tail.then(nextTurn).then(write);
    this.#tail = turn.catch(() => undefined);
    return turn;
  }
  #apply(kind: DefinitionKind, name: string, id: string, body: string | null): number {
    const key = `${kind}/${name}/${id}`;
    const version = (this.#versions.get(key) ?? 0) + 1;
    this.#versions.set(key, version);
    const record = { kind, workspace: name, id, version, deleted: body === null, at: 1, body };
    this.#fold.apply(this.offset, record);
    this.#former.apply(record, this.get(kind, name, id));
    return version;
  }
}

export interface LoggedLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface TestServer {
  readonly live: LiveCalls;
  readonly logged: readonly LoggedLine[];
  readonly budgets: BodyBudgets;
  readonly doors: Doors;
  readonly server: FastifyInstance;
  readonly sent: FakeProducer;
  readonly definitions: FakeDefinitions;
  /** What services say, at first that every definition is in force; ends of every topic. Tests write to them. */
  readonly statuses: Record<string, ServiceStatus>;
  /** Names of services that were asked, again and again. */
  readonly asked: readonly string[];
  readonly ends: Partial<Record<TopicId, number[]>>;
  /** Rows that ClickHouse answers with, by a word of the query. */
  readonly rows: Record<string, Readonly<Record<string, unknown>>[]>;
}

/** A key of each kind of the workspace, and one of the installation. */
function shopKeys() {
  const of = { workspace, siteId: null };
  const track = `${siteId}:${apiKey}`;
  return memoryKeys({
    fromFile: [
      { kind: 'track', secret: track, workspace, siteId },
      { kind: 'server', secret: writeKey, ...of },
      { kind: 'browser', secret: browserKey, ...of },
      { kind: 'app', secret: appKey, ...of },
      { kind: 'admin', secret: adminKey, workspace: null, siteId: null },
    ],
  }).keys;
}

const takenAll: ServiceStatus = { definitions_offset: Number.MAX_SAFE_INTEGER };

export interface TestServerOptions extends Partial<
  Pick<ServerOptions, 'budgets' | 'bodyMsMax' | 'firstPartyId'>
> {
  readonly testClock?: boolean;
  readonly inForceWaitMsMax?: number;
  readonly publicUrl?: string;
  readonly liveReaderBytesMax?: number;
  readonly door?: DoorLimits;
  /** In the place of the fakes. */
  readonly keys?: IngestOptions['keys'] & KeyStore & OnSiteOptions['keys'];
  readonly store?: DefinitionsStore;
  readonly onSite?: Pick<OnSiteOptions, 'view' | 'calls'>;
  readonly rules?: Partial<RulesView>;
  readonly tables?: TableStore;
  readonly intake?: IngestOptions['intake'];
  readonly ingest?: ServerOptions['app']['health']['ingest'];
  readonly disk?: Usage['disk'];
  readonly signIn?: ServerOptions['frontPage']['signIn'];
}

function loggerInto(logged: LoggedLine[]): Logger {
  const write =
    (level: keyof Logger): Logger['info'] =>
    (fields, message) => {
      logged.push({ level, message, fields });
    };
  return { error: write('error'), warn: write('warn'), info: write('info') };
}

function allTaken(): TestServer['statuses'] {
  return { merger: takenAll, identity: takenAll, trigger: takenAll, 'in-app': takenAll };
}

function statusesPort(
  statuses: TestServer['statuses'],
  asked: string[],
): ServerOptions['app']['health']['statuses'] {
  const note = async <T>(name: string, answer: T): Promise<T> => {
    asked.push(name);
    await nextTurn();
    return answer;
  };
  return {
    of: (name) => note(name, statuses[name]),
    instances: (name) => Promise.resolve(name in statuses ? [statuses[name]] : []),
    names: () => Promise.resolve(Object.keys(statuses)),
    ready: (name) => note(name, { ok: statuses[name] !== undefined }),
  };
}

function adminOf(ends: TestServer['ends']) {
  const endsOf = (topic: TopicId): Promise<number[]> => Promise.resolve(ends[topic] ?? [0]);
  const partitionsOf = (topic: TopicId): Promise<number> => Promise.resolve(ends[topic]?.length ?? 1);
  return { endOffsets: endsOf, writtenOffsets: endsOf, partitionsOf };
}

function usageIn(definitions: DefinitionsStore, disk: Usage['disk'] = { check: () => undefined }) {
  const quotas = (name: Workspace) => settingsOf(definitions, name).quotas;
  const bytes = new WorkspaceBytes({ quotas, dayBytesMax: null, now: Date.now });
  return { bytes, disk, questions: new FairQueue(questionLimits) };
}

export function testServer({
  testClock = false,
  budgets = bodyBudgets(),
  bodyMsMax,
  inForceWaitMsMax = 5_000,
  publicUrl,
  liveReaderBytesMax,
  ...real
}: TestServerOptions = {}): TestServer {
  const sent = new FakeProducer();
  const definitions = new FakeDefinitions();
  const statuses = allTaken();
  const [ends, rows, asked]: [TestServer['ends'], TestServer['rows'], string[]] = [{}, {}, []];
  const logged: LoggedLine[] = [];
  const logger = loggerInto(logged);
  const keys = real.keys ?? shopKeys();
  const signs = new PageSigns(Date.now);
  const clock = testClock
    ? { now: () => definitions.clock, advanceTo: (time: number) => definitions.advanceClockTo(time) }
    : undefined;
  const admin = adminOf(ends);
  const quiet = new QuietLog(logger);
  const live = new LiveCalls({ refusals: new RefusalCounts(), log: quiet, toldPerSecondMax: 1_000_000 });
  const usage = usageIn(definitions, real.disk);
  const counted = countedPorts({ intake: real.intake ?? plainIntake(sent), producer: sent }, usage);
  const doors = new Doors(real.door ?? { perAddressMax: 2_000 }, quiet);
  const server = buildServer({
    log: quiet,
    doors,
    budgets,
    ...(bodyMsMax !== undefined && { bodyMsMax }),
    ingest: {
      ...{ keys, admin, codecs: localCodecs(), watch: live },
      ...counted,
      settings: (name) => settingsOf(definitions, name),
      segmentType: (name, id) => segmentTypeOf(definitions, name, id),
      testClock: clock,
    },
    onSite: {
      ...{ keys, ...(real.onSite ?? noInApp), receiveTime: receiveTime(clock), newId: randomUUID, signs },
      recordConsent: consentInto(counted.intake, localCodecs(), usage),
    },
    browser: browserOf(keys, signs, { publicUrl, definitions }),
    firstPartyId: real.firstPartyId,
    frontPage: { signIn: real.signIn ?? (() => Promise.resolve(undefined)) },
    app: {
      keys,
      definitions: real.store ?? definitions,
      tables: real.tables ?? new MemoryTables(),
      isTestClockOn: testClock,
      rules: { ...noRules, ...real.rules },
      inForceWaitMsMax,
      live,
      usage: (name) => usageOf(name, usage),
      ...(liveReaderBytesMax !== undefined && { liveReaderBytesMax }),
      query: (sql) => Promise.resolve(Object.entries(rows).find(([word]) => sql.includes(word))?.[1] ?? []),
      health: {
        admin,
        statuses: statusesPort(statuses, asked),
        ingest: real.ingest ?? (() => ({ ok: true })),
        spooledBytes: () => 0,
        clock: () => definitions.clock,
        definitionsEnd: () => definitions.offset,
        budgets: () => budgetStates(budgets),
        parts: {},
      },
    },
  });
  return { live, logged, budgets, doors, server, sent, definitions, statuses, asked, ends, rows };
}

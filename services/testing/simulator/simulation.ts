/**
 * The whole path in one process under a seed: lanes, identity, trigger, in-app and the sink over a broker and an engine in
 * memory, with crashes, changes of owner, duplicates, slow requests, lost answers and clock jumps. Time is virtual, so a run
 * of minutes takes seconds, and the same seed gives the same bytes on every topic.
 */
import { localCodecs } from '../../../schemas/codec.ts';
import { toWorkspace, type Workspace } from '../../../schemas/ids.ts';
import { partitionOf } from '../../../schemas/partitioner.ts';
import { topicIds } from '../../../schemas/topics.ts';
import { identityService } from '../../identity/service.ts';
import { inAppService } from '../../in-app/service.ts';
import { lanesService } from '../../merger/service.ts';
import type { Target } from '../../sink/target.ts';
import { assert } from '../../runtime/errors.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import { triggerService } from '../../trigger/service.ts';
import { MemoryBroker } from '../memory/memory-broker.ts';
import { VirtualTime } from '../virtual-time.ts';
import type { Disks } from './disks.ts';
import { FileDisks } from './file-disks.ts';
import { MemoryDisks } from './memory-disks.ts';
import { Client } from './client.ts';
import { storyFaults } from './client-story.ts';
import { badLuck, type Weather } from './bad-luck.ts';
import { EngineModel } from './engine-model.ts';
import { Machines } from './machines.ts';
import { messageFaults } from './message-faults.ts';
import { Pages } from './pages.ts';
import { Random } from '../random.ts';
import { plainRules, shopRules } from './rules.ts';
import { Shop } from './shop.ts';
import type { SimulationReport } from './simulation-report.ts';
import { SinkMachine } from './sink-machine.ts';
import { sumOf } from './counts.ts';
import { storm } from './storms.ts';
import { hashOf } from './topics-hash.ts';
import { faultsOf } from './verdict.ts';
import { makeWorkload, workspace, type Workload, type WorkloadSize } from './workload.ts';

export interface SimulationOptions extends WorkloadSize {
  /** What pages ask of on-site messages; nothing where there are no visitors. */
  readonly asks: number;
  /** Shops whose people are merged, deleted, suppressed and split, each in a workspace of its own. */
  readonly clients: number;
  readonly callsOfClient: number;
  readonly seed: number;
  readonly partitions: number;
  /** The clock goes on by minutes to months, not by up to an hour either way: for clients only, who stamp by it. */
  readonly leaps?: boolean;
  /** State on real files in a temporary folder, not in memory. */
  readonly files?: boolean;
  /** No faults at all: what the faulty runs are compared with in spirit. */
  readonly calm?: boolean;
  /** In place of the real ones: to show that a fault in them is seen. */
  readonly services?: Partial<Services>;
  readonly target?: (real: Target) => Target;
}

export interface Services {
  readonly lanes: ServiceSpec;
  readonly identity: ServiceSpec;
  readonly trigger: ServiceSpec;
  readonly inApp: ServiceSpec;
}

const realServices = {
  lanes: lanesService,
  identity: identityService,
  trigger: triggerService,
  inApp: inAppService,
};
const START_MS = Date.UTC(2026, 0, 5, 12);
const INSTANCES = 2;
/** So few that each is asked about again and again. */
const LOOKING = 8;
const SETTLE_MS = 20_000;
const SETTLE_ROUNDS_MAX = 30;
const CLIENTS_MS_MAX = 600_000;

export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const simulation = new Simulation(options);
  try {
    return await simulation.run();
  } finally {
    simulation.close();
  }
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #time: VirtualTime;
  readonly #broker: MemoryBroker;
  readonly #codecs = localCodecs();
  readonly #weather: Weather;
  readonly #disks: Disks;
  readonly #machines: readonly Machines[];
  readonly #engine: EngineModel;
  readonly #sink: SinkMachine;
  readonly #shop: Shop;
  readonly #clients: readonly Client[];
  readonly #pages: Pages;
  /** Under half of the seeds: then no timer may be early. */
  readonly #isSteady: boolean;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    const order = this.#random.fork();
    this.#time = new VirtualTime(START_MS, () => order.next());
    this.#broker = new MemoryBroker(
      this.#time,
      options.partitions,
      () => START_MS + Math.floor(this.#time.monotonicMs()), // its machine's clock does not jump
    );
    this.#weather = { calm: options.calm === true };
    const files = this.#random.fork();
    this.#disks = options.files === true ? new FileDisks(this.#time, files) : new MemoryDisks(this.#time);
    const engineLuck = this.#random.fork();
    this.#engine = new EngineModel({
      time: this.#time,
      random: engineLuck,
      isCalm: () => this.#weather.calm,
    });
    const spoil = options.target ?? ((real: Target) => real);
    const sinkLuck = this.#random.fork();
    this.#sink = new SinkMachine({
      time: this.#time,
      broker: this.#broker,
      codecs: this.#codecs,
      connect: (log) => spoil(this.#engine.connect(log)),
      random: sinkLuck,
      log: badLuck(sinkLuck, this.#weather),
    });
    this.#shop = new Shop({
      time: this.#time,
      broker: this.#broker,
      codecs: this.#codecs,
      startMs: START_MS,
    });
    this.#clients = Array.from(
      { length: options.clients },
      (_, number) =>
        new Client({
          workspace: this.#workspaceOf(number),
          calls: options.callsOfClient,
          time: this.#time,
          broker: this.#broker,
          codecs: this.#codecs,
          random: this.#random.fork(),
          weather: this.#weather,
        }),
    );
    const { lanes, identity, trigger, inApp } = { ...realServices, ...options.services };
    const grouped = this.#random.chance(0.5);
    this.#machines = [lanes, identity, trigger, inApp].map(
      (spec) =>
        new Machines({
          broker: this.#broker,
          spec,
          codecs: this.#codecs,
          tasks: spec === lanes ? 2 : 1,
          instances: INSTANCES,
          grouped,
          random: this.#random.fork(),
          weather: this.#weather,
          disks: this.#disks,
          others: () => this.#machines.filter((other) => other.options.spec !== spec),
        }),
    );
    this.#pages = this.#newPages();
    this.#isSteady = options.leaps !== true && this.#random.chance(0.5);
  }

  #newPages(): Pages {
    const { visitors, asks, spanMs } = this.#options;
    return new Pages({
      workspace: toWorkspace(workspace),
      visitors: Array.from({ length: Math.min(visitors, LOOKING) }, (_, number) => `a${String(number)}`),
      asks,
      spanMs,
      time: this.#time,
      broker: this.#broker,
      codecs: this.#codecs,
      random: this.#random.fork(),
      startMs: START_MS,
    });
  }

  #workspaceOf(client: number): Workspace {
    return toWorkspace(`shop-${String(client + 1)}`);
  }

  async run(): Promise<SimulationReport> {
    const workload = makeWorkload(this.#random.fork(), this.#options, START_MS);
    this.#define();
    for (const machines of this.#machines) void machines.supervise();
    void this.#sink.supervise();
    void storm({
      time: this.#time,
      random: this.#random.fork(),
      weather: this.#weather,
      machines: this.#machines,
      sink: this.#sink,
      leaps: this.#options.leaps === true,
      isSteady: this.#isSteady,
    });
    for (const client of this.#clients) void client.run();
    void this.#pages.run();
    await this.#shop.play(workload.calls);
    const ended = await this.#time.until(
      () => [...this.#clients, this.#pages].every(({ done }) => done),
      CLIENTS_MS_MAX,
    );
    assert(ended, 'every call is acknowledged in the end');
    this.#weather.calm = true;
    this.#time.catchUp(); // or timers would wait for as long as it is behind
    const settled = await this.#settle();
    return this.#report(workload, settled);
  }

  close(): void {
    this.#disks.close();
  }

  #define(): void {
    this.#shop.define(workspace, shopRules);
    this.#pages.define();
    for (const client of this.#clients.keys()) {
      this.#shop.define(this.#workspaceOf(client), plainRules({ event: 'Product Viewed' }));
    }
  }

  get #lost(): string | undefined {
    const lost = this.#machines.find((machines) => machines.lost !== undefined);
    return lost && `${lost.options.spec.name}: ${lost.lost ?? ''}`;
  }

  /** Everybody has read what was there, holds nothing back, and no alarm stands. */
  async #settle(): Promise<boolean> {
    for (let round = 0; round < SETTLE_ROUNDS_MAX; round += 1) {
      const ends = new Map(
        topicIds.map((topic) => [topic, this.#broker.topic(topic).map((partition) => partition.stableEnd)]),
      );
      // A service that an alarm has stopped will not come to rest.
      if (this.#lost !== undefined || this.#machines.some(({ alarms }) => alarms.length > 0)) return false;
      await this.#time.run(SETTLE_MS);
      const settled = this.#machines.every((machines) => {
        const status = machines.status();
        if (status === undefined || status.unsettled > 0) return false;
        return Object.entries(status.inputs).every(([topic, handled]) =>
          handled.every((offset, partition) => offset >= (ends.get(topic as never)?.[partition] ?? 0)),
        );
      });
      if (settled && this.#sink.reached(ends)) return true;
    }
    return false;
  }

  #report(workload: Workload, settled: boolean): SimulationReport {
    const faults = settled || this.#lost !== undefined ? [] : ['the path did not come to rest'];
    for (const { alarms } of [...this.#machines, this.#sink])
      faults.push(...alarms.map((alarm) => `an alarm was raised: ${alarm}`));
    faults.push(
      ...faultsOf({
        broker: this.#broker,
        codecs: this.#codecs,
        engine: this.#engine,
        workload,
        isWhole: this.#lost === undefined,
        isSteady: this.#isSteady || this.#options.calm === true,
      }),
    );
    faults.push(...(settled ? this.#storyFaults() : []));
    faults.push(
      ...messageFaults({
        broker: this.#broker,
        codecs: this.#codecs,
        workspace,
        pages: this.#pages,
        isWhole: this.#lost === undefined,
      }),
    );
    return {
      seed: this.#options.seed,
      hash: hashOf(this.#broker),
      calls: workload.calls.length,
      controls: this.#clients.reduce((total, { controls }) => total + controls, 0),
      gatewayDeaths: this.#clients.reduce((total, { deaths }) => total + deaths, 0),
      merged: this.#broker.committed('eventsMerged').length,
      messagesTold: this.#broker.committed('messagesLogged').length,
      ...sumOf(this.#machines.map(({ counts }) => counts)),
      lost: this.#lost,
      sinkKills: this.#sink.kills,
      sinkTakeovers: this.#sink.takeovers,
      inserts: this.#engine.troubles,
      virtualMs: Math.round(this.#time.monotonicMs()),
      faults,
    };
  }

  #storyFaults(): string[] {
    const [, identity] = this.#machines;
    return this.#clients.flatMap(({ oracle }, client) => {
      const where = this.#workspaceOf(client);
      const stores = identity?.stores(partitionOf(where, this.#options.partitions));
      assert(stores !== undefined, 'identity is one of the machines');
      return storyFaults({
        broker: this.#broker,
        codecs: this.#codecs,
        workspace: where,
        keyed: stores.keyed,
        oracle,
      });
    });
  }
}

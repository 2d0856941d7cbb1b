/**
 * The rule: no sequence of calls ends a task, leaves somebody waiting for ever, or loses a bystander's event. Lanes,
 * identity and trigger in one process over a broker in memory, with every bound so low that random calls meet it.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { controlMarker } from '../../../schemas/control-markers.ts';
import { identityRequest } from '../../../schemas/identity-request.ts';
import { toWorkspace } from '../../../schemas/ids.ts';
import { laneKey } from '../../../schemas/lanes.ts';
import { partitionOf } from '../../../schemas/partitioner.ts';
import type { CollectedEvent, IdentityRequest } from '../../../schemas/records.ts';
import { identityService } from '../../identity/service.ts';
import { LanesProcessor } from '../../merger/processor.ts';
import { lanesService } from '../../merger/service.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import { triggerService } from '../../trigger/service.ts';
import { collectedEvent } from '../collected-event.ts';
import { MemoryDisk } from '../memory/memory-stores.ts';
import { MemoryBroker } from '../memory/memory-broker.ts';
import { TaskProcess } from '../toy/task-process.ts';
import { VirtualTime } from '../virtual-time.ts';
import { codecs } from './fed-service.ts';
import { runs } from '../runs.ts';

const PARTITIONS = 2;
const MINUTE_MS = 60_000;
const RUNS = runs(25);
/** Of one run, on a machine that does much else. */
const RUN_MS_MAX = 12_000;

const share = fc.record({
  unitsMax: fc.integer({ min: 500, max: 3_000 }),
  waitingRecordsMax: fc.integer({ min: 1, max: 30 }),
  waitingBytesMax: fc.integer({ min: 1, max: 50_000 }),
});

const visitor = fc.integer({ min: 0, max: 3 }).map((each) => `v${String(each)}`);
const person = fc.constantFrom('p0', 'p1', 'p2', '__proto__', 'p'.repeat(150));
const text = fc.constantFrom(
  'x',
  '\u0001'.repeat(1_000),
  'abcd'.repeat(100),
  '['.repeat(90) + ']'.repeat(90),
);
const name = fc.constantFrom('Tested', 'Hit', '\u0001'.repeat(100), '__proto__');
const call = fc.oneof(
  fc.record({
    do: fc.constant('track' as const),
    visitor,
    name,
    text,
    times: fc.integer({ min: 1, max: 30 }),
  }),
  fc.record({
    do: fc.constant('identify' as const),
    visitor,
    person,
    text,
    times: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({ do: fc.constant('delete' as const), person, times: fc.integer({ min: 1, max: 5 }) }),
  fc.record({
    do: fc.constant('merge' as const),
    person,
    other: person,
    times: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({ do: fc.constant('garbage' as const), visitor, times: fc.integer({ min: 1, max: 2 }) }),
  fc.record({ do: fc.constant('wait' as const), times: fc.integer({ min: 1, max: 200 }) }),
  fc.record({ do: fc.constant('kill' as const), times: fc.integer({ min: 0, max: 2 }) }),
);
type Call = typeof call extends fc.Arbitrary<infer C> ? C : never;

class Installation {
  readonly time = new VirtualTime();
  readonly broker = new MemoryBroker(this.time, PARTITIONS);
  readonly #specs: readonly ServiceSpec[];
  readonly #disks = [new MemoryDisk(), new MemoryDisk(), new MemoryDisk()];
  readonly tasks: TaskProcess[] = [];
  #number = 0;

  constructor(bounds: ServiceSpec['share'] & object) {
    const lanes: ServiceSpec = {
      ...lanesService,
      open: (partition, partitions, stores) =>
        new LanesProcessor({ partition, partitions, laneEventsMax: 20 }, stores, codecs),
    };
    this.#specs = [lanes, { ...identityService, share: bounds }, { ...triggerService, share: bounds }];
  }

  async start(): Promise<void> {
    for (const index of this.#specs.keys()) await this.#startOne(index);
  }
  async restart(index: number): Promise<void> {
    this.tasks[index]?.kill();
    await this.#startOne(index);
  }
  async #startOne(index: number): Promise<void> {
    const [spec, disk] = [this.#specs[index], this.#disks[index]];
    if (spec === undefined || disk === undefined) return;
    this.tasks[index] = await new TaskProcess({ broker: this.broker, codecs, spec, disk }).start();
  }

  define(): void {
    const dear = { property: 'text', operator: 'matches', value: '(?:[ab]?[cd]*){40}[xy]$' };
    const segment = { name: 'Dear', type: 'data_driven', when: { event: 'Tested', where: [dear] } };
    const trigger = { event: 'Tested' };
    const journey = {
      name: '\u0001'.repeat(900),
      state: 'running',
      trigger,
      frequency: { mode: 'every_rematch' },
    };
    for (const [kind, body] of [
      ['segment', segment],
      ['journey', journey],
    ] as const) {
      const definition = { kind, workspace: 'evil', id: kind, version: 1, deleted: false, at: 0 };
      const value = codecs.Definition.encode({ ...definition, body: JSON.stringify(body) });
      this.broker.append([{ topic: 'definitions', partition: 0, key: Buffer.from(kind), value }]);
    }
  }

  async make(made: Call): Promise<void> {
    if (made.do === 'wait') await this.time.run(made.times);
    else if (made.do === 'kill') await this.restart(made.times);
    else for (let each = 0; each < made.times; each += 1) this.#makeOnce(made);
  }
  #makeOnce(made: Exclude<Call, { do: 'wait' | 'kill' }>): void {
    const workspace = 'evil';
    switch (made.do) {
      case 'track':
        this.event({
          workspace,
          anonymous_id: made.visitor,
          name: made.name,
          properties: JSON.stringify({ text: made.text }),
        });
        return;
      case 'identify':
        this.identify(workspace, made.visitor, made.person, made.text);
        return;
      case 'delete':
        this.#control({ kind: 'delete', workspace, identifier_kind: 'id', identifier: made.person });
        return;
      case 'merge':
        this.#control({
          kind: 'merge',
          workspace,
          identifier_kind: 'id',
          identifier: made.person,
          other_kind: 'id',
          other: made.other,
        });
        return;
      case 'garbage':
        this.#append(`evil:a:${made.visitor}`, Buffer.from([1, 2, 3]));
    }
  }

  event(fields: Partial<CollectedEvent>): string {
    this.#number += 1;
    const now = this.time.now();
    const id = `m${String(this.#number)}`;
    const event = collectedEvent({ message_id: id, received_at: now, timestamp: now, ...fields });
    const { anonymous_id: anonymousId, workspace } = event;
    const lane = laneKey(toWorkspace(workspace), { anonymousId, identifier: null, messageId: id });
    this.#append(lane, codecs.CollectedEvent.encode(event));
    return id;
  }
  identify(workspace: string, anonymousId: string, id: string, value: string): string {
    const named = { identifier_kind: 'id', identifier: id, id } as const;
    const properties = JSON.stringify({ [`a${String(this.#number)}`]: value });
    const who = { workspace, anonymous_id: anonymousId, ...named };
    return this.event({ ...who, type: 'identify', name: null, properties });
  }

  #append(lane: string, value: Buffer): void {
    const partition = partitionOf(lane, PARTITIONS);
    this.broker.append([{ topic: 'eventsCollected', partition, key: Buffer.from(lane), value }]);
  }
  #control(fields: Partial<IdentityRequest> & Pick<IdentityRequest, 'kind' | 'workspace'>): void {
    this.#number += 1;
    const request = identityRequest({ received_at: this.time.now(), message_id: 'c', ...fields });
    const value = codecs.CollectedEvent.encode(controlMarker(request, this.#number));
    const key = Buffer.from(request.workspace);
    const positions = Array.from({ length: PARTITIONS }, (_, partition) => {
      this.broker.append([{ topic: 'eventsCollected', partition, key, value }]);
      return this.broker.partition('eventsCollected', partition).end;
    });
    const numbered = codecs.IdentityRequest.encode({ ...request, positions, request_number: this.#number });
    const partition = partitionOf(request.workspace, PARTITIONS);
    this.broker.append([{ topic: 'identityRequests', partition, key, value: numbered }]);
  }

  /** Message ids on events.merged, of the workspace. */
  merged(workspace: string): string[] {
    return this.broker.committed('eventsMerged').flatMap(({ record }) => {
      const merged = codecs.MergedEvent.decode(record.value ?? Buffer.alloc(0));
      return merged.workspace === workspace && merged.event !== null ? [merged.event.message_id] : [];
    });
  }
  get unsettled(): number {
    return this.tasks.reduce((sum, task) => sum + task.service.status().unsettled, 0);
  }
}

test(
  'whatever is called in whatever order, every task goes on, nothing waits for ever, and a bystander has all',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 25 }), share, async (calls, bounds) => {
        const shop = new Installation(bounds);
        shop.define();
        await shop.start();
        const bystander: string[] = [];
        for (const [index, made] of calls.entries()) {
          await shop.make(made);
          const quiet = { workspace: 'quiet', anonymous_id: `q${String(index % 3)}` };
          bystander.push(shop.event(quiet));
          bystander.push(shop.identify('quiet', quiet.anonymous_id, `person-${String(index % 3)}`, 'x'));
        }
        const done = await shop.time.until(
          () => shop.merged('quiet').length >= bystander.length && shop.unsettled === 0,
          60 * MINUTE_MS,
        );
        const states = shop.tasks.map(({ state, failure }) => `${state} ${failure}`.trim());
        expect({ done, states }).toEqual({ done: true, states: ['live', 'live', 'live'] });
        expect(shop.merged('quiet').sort()).toEqual(bystander.sort());
      }),
      { numRuns: RUNS },
    );
  },
  RUN_MS_MAX * RUNS,
);

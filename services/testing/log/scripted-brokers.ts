/**
 * Brokers in this process that speak the wire protocol and answer as a test tells them: what one broker alone never
 * says (a leader that moved, a coordinator that is gone), and what a healthy one never does. They keep no records.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { WireReader } from '../../runtime/log/protocol/wire-reader.ts';
import { WireWriter } from '../../runtime/log/protocol/wire-writer.ts';

export const scriptedTopic = 'events.collected';
const PARTITIONS = 2;
const [PRODUCE, FETCH, LIST_OFFSETS, METADATA] = [0, 1, 2, 3];
const [FIND_COORDINATOR, API_VERSIONS, INIT_PRODUCER_ID] = [10, 18, 22];
const [ADD_PARTITIONS, ADD_OFFSETS, END_TRANSACTION, COMMIT_OFFSETS] = [24, 25, 26, 28];
const FIRST = -2;

export interface Asked {
  readonly node: number;
  readonly partition: number;
  /** How many times this was asked before, by any node. */
  readonly before: number;
  /** What is to be written. Of a fetch: nothing. */
  readonly batch: Buffer;
}

/**
 * The error code of the answer; `nothing` leaves the partition out of it, `never` sends no answer at all, `cut` breaks
 * the connection instead.
 */
export type Verdict = number | 'nothing' | 'never' | 'cut';

export class ScriptedBrokers {
  /** By partition. */
  leaders: number[] = new Array<number>(PARTITIONS).fill(0);
  coordinator = 0;
  /** The answer waits for the verdict. */
  produce: (asked: Asked) => Verdict | Promise<Verdict> = () => 0;
  fetch: (asked: Asked) => Verdict = () => 0;
  /** What a coordinator of a transaction, or of a group, says to a question of this kind. */
  coordinate: (asked: { readonly node: number; readonly apiKey: number }) => number | 'never' = () => 0;
  /** Of every partition. */
  log = { first: 0, end: 0 };
  /** Node and API key of every request, in order. */
  readonly requests: { readonly node: number; readonly apiKey: number }[] = [];
  readonly #nodes: { readonly server: Server; readonly sockets: Set<Socket>; port: number }[] = [];
  readonly #asked = new Map<string, number>();
  #producerIds = 0;

  static async open(count: number): Promise<ScriptedBrokers> {
    const brokers = new ScriptedBrokers();
    for (let node = 0; node < count; node += 1) await brokers.#listen(node);
    return brokers;
  }

  get addresses(): string[] {
    return this.#nodes.map(({ port }) => `127.0.0.1:${String(port)}`);
  }

  count(apiKey: number, node?: number): number {
    return this.requests.filter((each) => each.apiKey === apiKey && (node ?? each.node) === each.node).length;
  }

  /** It is gone, though others may still name it. */
  async stop(node: number): Promise<void> {
    const stopped = this.#nodes[node];
    if (stopped === undefined) return;
    for (const socket of stopped.sockets) socket.destroy();
    await new Promise((done) => stopped.server.close(done));
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((_, node) => this.stop(node)));
  }

  async #listen(node: number): Promise<void> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      let held = Buffer.alloc(0);
      socket.on('error', () => undefined); // clients cut their connections
      socket.on('data', (bytes) => {
        held = Buffer.concat([held, bytes]);
        while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
          const end = 4 + held.readInt32BE(0);
          void this.#answer(node, socket, new WireReader(held.subarray(4, end)));
          held = held.subarray(end);
        }
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    this.#nodes.push({ server, sockets, port: (server.address() as AddressInfo).port }); // it listens on TCP
  }

  async #answer(node: number, socket: Socket, asked: WireReader): Promise<void> {
    const apiKey = asked.int16();
    asked.int16(); // version: what the client sends is what is read here
    const correlationId = asked.int32();
    asked.string(); // client id
    this.requests.push({ node, apiKey });
    const body = await this.#bodyOf(node, apiKey, asked);
    if (body === 'cut') socket.destroy();
    if (body === 'cut' || body === undefined) return;
    const answer = body.finish();
    const head = Buffer.alloc(8);
    head.writeInt32BE(4 + answer.length, 0);
    head.writeInt32BE(correlationId, 4);
    socket.write(Buffer.concat([head, answer]));
  }

  #bodyOf(node: number, apiKey: number, asked: WireReader): Answer | Promise<Answer> {
    switch (apiKey) {
      case API_VERSIONS:
        return new WireWriter()
          .int16(0)
          .array([], () => undefined)
          .int32(0);
      case LIST_OFFSETS:
        return this.#listed(asked);
      case METADATA:
        return this.#metadata();
      case FIND_COORDINATOR:
        return this.#coordinatorAnswer();
      case INIT_PRODUCER_ID:
      case ADD_PARTITIONS:
      case ADD_OFFSETS:
      case END_TRANSACTION:
      case COMMIT_OFFSETS:
        return this.#coordinated(node, apiKey);
      case PRODUCE:
        return this.#produced(node, asked);
      case FETCH:
        return this.#fetched(node, asked);
      default:
        return undefined;
    }
  }

  #metadata(): WireWriter {
    const body = new WireWriter().int32(0);
    body.array(this.#nodes, (each) => {
      body.int32(this.#nodes.indexOf(each)).string('127.0.0.1').int32(each.port).string(null);
    });
    body.string(null).int32(0);
    body.array([scriptedTopic], (name) => {
      body.int16(0).string(name).int8(0);
      body.array(this.leaders, () => undefined);
    });
    const rows = new WireWriter();
    this.leaders.forEach((leader, partition) => {
      rows.int16(0).int32(partition).int32(leader).int32(0).int32(0).int32(0);
    });
    return joined(body, rows);
  }

  #coordinatorAnswer(): WireWriter {
    const port = this.#nodes[this.coordinator]?.port ?? 0;
    return new WireWriter()
      .int32(0)
      .int16(0)
      .string(null)
      .int32(this.coordinator)
      .string('127.0.0.1')
      .int32(port);
  }

  #coordinated(node: number, apiKey: number): WireWriter | undefined {
    const code = this.coordinate({ node, apiKey });
    if (code === 'never') return undefined;
    const body = new WireWriter().int32(0);
    if (apiKey === INIT_PRODUCER_ID) {
      this.#producerIds += 1;
      return body.int16(code).int64(this.#producerIds).int16(0);
    }
    if (apiKey === ADD_OFFSETS || apiKey === END_TRANSACTION) return body.int16(code);
    return body.array([scriptedTopic], (name) => {
      body.string(name).array([0], (partition) => body.int32(partition).int16(code));
    });
  }

  async #produced(node: number, asked: WireReader): Promise<Answer> {
    asked.string(); // transactional id
    asked.int16(); // acks
    asked.int32(); // timeout
    const partitions = asked
      .array(() => {
        asked.string();
        return asked.array(() => {
          const partition = asked.int32();
          const start = asked.bytesLength() + asked.position;
          const batch = asked.bytes.subarray(asked.position, start);
          asked.position = start;
          return { partition, batch };
        });
      })
      .flat();
    const verdicts = await this.#verdicts(node, 'produce', partitions, this.produce);
    if (verdicts === undefined || verdicts === 'cut') return verdicts;
    const body = new WireWriter();
    body.array([scriptedTopic], (name) => {
      body.string(name).array(verdicts, ([partition, code]) => {
        body.int32(partition).int16(code).int64(0).int64(-1).int64(0);
      });
    });
    return body.int32(0);
  }

  async #fetched(node: number, asked: WireReader): Promise<Answer> {
    for (let field = 0; field < 4; field += 1) asked.int32(); // replica, wait, bytes, bytes
    asked.int8(); // isolation
    asked.int32(); // session
    asked.int32(); // its epoch
    const partitions = asked
      .array(() => {
        asked.string();
        return asked.array(() => {
          const partition = asked.int32();
          asked.int32(); // leader epoch
          asked.int64(); // offset
          asked.int64(); // log start
          asked.int32(); // bytes
          return { partition, batch: Buffer.alloc(0) };
        });
      })
      .flat();
    const verdicts = await this.#verdicts(node, 'fetch', partitions, this.fetch);
    if (verdicts === undefined || verdicts === 'cut') return verdicts;
    const body = new WireWriter().int32(0).int16(0).int32(0);
    body.array([scriptedTopic], (name) => {
      body.string(name).array(verdicts, ([partition, code]) => {
        body.int32(partition).int16(code).int64(0).int64(0).int64(0).int32(0).int32(-1).int32(0);
      });
    });
    return body;
  }

  /** Of the one partition that is asked for. */
  #listed(asked: WireReader): WireWriter {
    asked.int32(); // replica
    asked.int8(); // isolation
    const [topic] = asked.array(() => {
      asked.string();
      return asked.array(() => ({ partition: asked.int32(), time: asked.int64() }));
    });
    const body = new WireWriter().int32(0);
    body.array([scriptedTopic], (name) => {
      body.string(name).array(topic ?? [], ({ partition, time }) => {
        body
          .int32(partition)
          .int16(0)
          .int64(-1)
          .int64(time === FIRST ? this.log.first : this.log.end);
      });
    });
    return body;
  }

  async #verdicts(
    node: number,
    what: string,
    partitions: readonly { readonly partition: number; readonly batch: Buffer }[],
    script: (asked: Asked) => Verdict | Promise<Verdict>,
  ): Promise<[number, number][] | 'cut' | undefined> {
    const told = partitions.map(({ partition, batch }) => {
      const place = `${what}/${String(partition)}`;
      const before = this.#asked.get(place) ?? 0;
      this.#asked.set(place, before + 1);
      return Promise.resolve(script({ node, partition, before, batch }));
    });
    const verdicts: [number, number][] = [];
    for (const [index, verdict] of (await Promise.all(told)).entries()) {
      if (verdict === 'never') return undefined;
      if (verdict === 'cut') return 'cut';
      if (verdict !== 'nothing') verdicts.push([partitions[index]?.partition ?? 0, verdict]);
    }
    return verdicts;
  }
}

type Answer = WireWriter | 'cut' | undefined;

function joined(...parts: readonly WireWriter[]): WireWriter {
  const whole = new WireWriter();
  for (const part of parts) for (const byte of part.finish()) whole.int8((byte << 24) >> 24);
  return whole;
}

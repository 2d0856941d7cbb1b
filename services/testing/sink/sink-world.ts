/** A database and topics of their own for each test of the sink, and sinks that run in this process. */
import { localCodecs } from '../../../schemas/codec.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { openLog } from '../../runtime/log/open-log.ts';
import type { Log } from '../../runtime/log/ports.ts';
import { migrate } from '../../sink/schema/migrate.ts';
import { Sink } from '../../sink/sink.ts';
import { openTarget, type Target } from '../../sink/target.ts';
import { eventually } from '../eventually.ts';
import { sampleMerged } from './sample-load.ts';

const PARTITIONS = 4;
const codecs = localCodecs();
let opened = 0;

export type SinkAddress = ReturnType<typeof engine> & { readonly database: string };

function engine() {
  const env = process.env;
  return {
    url: env['TEST_CLICKHOUSE_URL'] ?? '',
    username: env['TEST_CLICKHOUSE_USER'] ?? '',
    password: env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
  };
}

export class SinkWorld {
  readonly codecs = codecs;
  readonly address: SinkAddress;
  readonly log: Log;
  readonly target: Target;
  #sent = 0;

  private constructor(address: SinkAddress, log: Log) {
    this.address = address;
    this.log = log;
    this.target = openTarget(address, { replicated: false });
  }

  static async open(): Promise<SinkWorld> {
    const database = `sink_${String(process.pid)}_${String(opened++)}_${String(Date.now())}`;
    const address = { ...engine(), database };
    await migrate(address);
    const brokers = (process.env['TEST_KAFKA_BROKERS'] ?? '').split(',');
    const log = await openLog({ brokers, clientId: 'sink-test', prefix: `${database}.` });
    await log.admin.createTopics(PARTITIONS);
    return new SinkWorld(address, log);
  }

  async close(): Promise<void> {
    await this.target.command(`DROP DATABASE ${this.address.database} SYNC`);
    await this.target.close();
    await this.log.close();
  }

  /** `ended` settles when it stops or is fenced. */
  start(to: SinkAddress = this.address, group?: string) {
    const stop = new AbortController();
    const abort = new AbortController();
    const own = openTarget(to, { replicated: false });
    const sink = new Sink({
      log: this.log,
      codecs,
      learn: () => Promise.reject(new Error('there is one version of each schema')),
      target: own,
      logger: silentLogger,
      task: 0,
      tasks: 1,
      ...(group !== undefined && { group }),
      stopSignal: stop.signal,
      abortSignal: abort.signal,
    });
    const ended = sink
      .run()
      .then(
        () => 'stopped',
        (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'aborted'),
      )
      .finally(() => own.close());
    return {
      sink,
      ended,
      stop: () => (stop.abort(), ended),
      abort: () => (abort.abort(), stop.abort(), ended),
    };
  }

  /** Events of the sample, each another. */
  async send(count: number): Promise<void> {
    const producer = await this.log.producer({ lingerMs: 2, pendingRecordsMax: 100_000 });
    const numbers = Array.from({ length: count }, (_, index) => this.#sent + index);
    await Promise.all(
      numbers.map((number) =>
        producer.send(
          'eventsMerged',
          Buffer.from(`sample:${String(number)}`),
          codecs.MergedEvent.encode(sampleMerged(number, Date.now())),
        ),
      ),
    );
    this.#sent += count;
    await producer.close();
  }

  async untilRows(rows: number): Promise<void> {
    await eventually(async () => {
      const [count] = await this.target.ask('SELECT count() FROM stored_merged');
      return Number(count) >= rows;
    });
  }
}

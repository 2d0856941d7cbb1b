/**
 * The pass-through of our runtime, in a process of its own: reads `events.collected` of one prefix and writes it under
 * another, in a transaction every 100 ms. It does nothing with an event, so it is the limit for every service.
 * `node bench/merger/pass-through.ts <brokers> <prefix> <prefix of the outputs> <events> <partitions>
 *    <process id of the broker>`; prints its figures as a line of JSON.
 */
import { argv } from 'node:process';
import { openLog } from '../../services/runtime/log/open-log.ts';
import { pass } from '../log.ts';
import { cpuSecondsOf, peakMebibytesOf } from './process-figures.ts';

export interface PassFigures {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly startUpCpuSeconds: number;
  readonly brokerCpuSeconds: number;
  readonly peakMebibytes: number;
}

const COMMIT_MS = 100;
const BATCH_BYTES_MAX = 16 << 20;
const READER = { bufferBytesMax: 24 << 20, fetchBytesMax: 1 << 20, waitMsMax: 100 };

const [, , brokersText = '', from = '', into = '', eventsText, partitionsText, brokerPidText] = argv;
const brokers = brokersText.split(',');
const [events, partitions, brokerPid] = [
  Number(eventsText),
  Number(partitionsText),
  Number(brokerPidText),
] as const;

const source = await openLog({ brokers, clientId: 'bench-pass', prefix: from });
const sink = await openLog({ brokers, clientId: 'bench-pass', prefix: into });
await sink.admin.createTopics(partitions);
const producer = await sink.transactionalProducer({ transactionalId: 'pass', timeoutMs: 10_000 });
await producer.init();
const reader = source.reader(READER);
const before = look();
const positions = Array.from({ length: partitions }, (_, partition) => partition);
await reader.start(positions.map((partition) => ({ topic: 'eventsCollected', partition, offset: 0 })));
await pass(sink, reader, producer, {
  events,
  commitMs: COMMIT_MS,
  batchBytesMax: BATCH_BYTES_MAX,
  copies: true,
});
const after = look();
const figures: PassFigures = {
  seconds: (after.at - before.at) / 1_000,
  cpuSeconds: after.own - before.own,
  startUpCpuSeconds: before.own,
  brokerCpuSeconds: after.broker - before.broker,
  peakMebibytes: peakMebibytesOf(process.pid),
};
console.log(JSON.stringify(figures));
await reader.close();
await producer.close();
await source.close();
await sink.close();

function look() {
  return { at: performance.now(), own: cpuSecondsOf(process.pid), broker: cpuSecondsOf(brokerPid) };
}

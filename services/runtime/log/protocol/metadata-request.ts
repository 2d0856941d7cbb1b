/** Metadata, version 6: where the brokers are, and which of them leads each partition. */
import type { WireRequest } from './wire-request.ts';
import type { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

export interface PartitionMetadata {
  readonly partition: number;
  /** Node id of the leader; -1 while there is none. */
  readonly leader: number;
}
export interface TopicMetadata {
  readonly name: string;
  readonly errorCode: number;
  /** By partition number. */
  readonly partitions: readonly PartitionMetadata[];
}
export interface Metadata {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly controllerId: number;
  readonly topics: readonly TopicMetadata[];
}

export function metadataRequest(topicNames: readonly string[]): WireRequest {
  const body = new WireWriter();
  body.array(topicNames, (name) => body.string(name)).boolean(false);
  return { apiKey: 3, apiName: 'Metadata', apiVersion: 6, body: [body.finish()] };
}

export function decodeMetadata(answer: WireReader): Metadata {
  answer.int32(); // throttle time
  const brokers = answer.array(() => {
    const broker = { nodeId: answer.int32(), host: answer.string() ?? '', port: answer.int32() };
    answer.string(); // rack
    return broker;
  });
  answer.string(); // cluster id
  const controllerId = answer.int32();
  return { brokers, controllerId, topics: answer.array(() => decodeTopic(answer)) };
}

function decodeTopic(answer: WireReader): TopicMetadata {
  const errorCode = answer.int16();
  const name = answer.string() ?? '';
  answer.int8(); // internal
  const partitions = answer.array(() => {
    answer.int16(); // an error is also a leader of -1
    const found = { partition: answer.int32(), leader: answer.int32() };
    for (let list = 0; list < 3; list++) answer.array(() => answer.int32()); // replicas, in sync, offline
    return found;
  });
  return { name, errorCode, partitions: partitions.sort((a, b) => a.partition - b.partition) };
}

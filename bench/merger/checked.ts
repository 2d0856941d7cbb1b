/** The peer's checker on what the merger gave. */
import type { Codecs } from '../../schemas/codec.ts';
import { topics } from '../../schemas/topics.ts';
import { giveBack } from './give-back.ts';
import type { Peer, Verdict } from './peer.ts';

export interface CheckOptions {
  readonly peer: Peer;
  readonly brokers: string;
  readonly codecs: Codecs;
  readonly partitions: number;
  /** Prefix of the installation. */
  readonly prefix: string;
  /** On its topic. */
  readonly events: number;
}

export async function checkMerged(options: CheckOptions): Promise<Verdict> {
  const { peer, brokers, codecs, partitions, prefix, events } = options;
  const into = `checked-${prefix}`;
  const { laterIdentifies } = await giveBack({
    brokers: brokers.split(','),
    codecs,
    partitions,
    from: prefix,
    into,
  });
  const { line, passed } = await peer.check(into + topics.eventsCollected.name, events);
  return { passed, line: `${line} | ${String(laterIdentifies)} later identifies left out` };
}

/** What a run of the simulator came to. */
import type { Counts } from './counts.ts';
import type { Misfortune } from './engine-model.ts';

export interface SimulationReport extends Readonly<Counts> {
  readonly seed: number;
  /** Of every record on every topic. */
  readonly hash: string;
  readonly calls: number;
  /** Control calls of the shops, and gateways that died with one half taken. */
  readonly controls: number;
  readonly gatewayDeaths: number;
  readonly merged: number;
  /** Of on-site messages: what was told of them. */
  readonly messagesTold: number;
  /** The service of which nothing at all reached back, and how it said so: then the run ends there. */
  readonly lost: string | undefined;
  /** Of the sink. */
  readonly sinkKills: number;
  readonly sinkTakeovers: number;
  /** What happened to inserts. */
  readonly inserts: Readonly<Partial<Record<Misfortune, number>>>;
  readonly virtualMs: number;
  /** What broke a promise; empty when all held. */
  readonly faults: readonly string[];
}

/** What lies on the topics at the end of a simulated run, and what every verdict asks of it. */
import type { Codecs } from '../../../schemas/codec.ts';
import type { MergedEvent } from '../../../schemas/records.ts';
import { triggerAgeMsMax } from '../../trigger/decide/trigger-age.ts';
import type { MemoryBroker } from '../memory/memory-broker.ts';
import type { EngineModel } from './engine-model.ts';
import type { Workload } from './workload.ts';

export interface Evidence {
  readonly broker: MemoryBroker;
  readonly codecs: Codecs;
  readonly engine: EngineModel;
  readonly workload: Workload;
  /** False when a service had lost its state and stood: then what is missing is no fault, all else is. */
  readonly isWhole: boolean;
  /** No clock ran ahead, so that what came before a timer had been read when it fired. */
  readonly isSteady: boolean;
}

export interface MergedRow {
  readonly partition: number;
  readonly offset: number;
  readonly record: MergedEvent;
}

/** Triggers no journey (spec C.1 rows 11 and 12). */
export function isTooOld({ merged_at: mergedAt, event }: MergedEvent): boolean {
  return event !== null && mergedAt - event.timestamp > triggerAgeMsMax;
}

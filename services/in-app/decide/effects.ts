import type { MessageEvent } from '../../../schemas/records.ts';

/** What is told of a visitor and a message: a row of `message_events` each. */
export interface Happened {
  readonly messageId: string;
  readonly version: number;
  readonly variant: string | null;
  /** All that a row may say; `unknown` stands for what a newer version says. */
  readonly event: Exclude<MessageEvent['event'], 'unknown'>;
  readonly at: number;
  readonly reason?: string;
  readonly action?: string | null;
  readonly exposure?: string;
  readonly causeMessageId?: string;
  readonly value?: string | null;
  readonly currency?: string | null;
}

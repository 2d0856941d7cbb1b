/** What is told of a visitor and a message: a row of `message_events` each. */
export interface Happened {
  readonly messageId: string;
  readonly version: number;
  readonly variant: string | null;
  readonly event:
    | 'eligible'
    | 'refused'
    | 'held_out'
    | 'shown'
    | 'clicked'
    | 'dismissed'
    | 'snoozed'
    | 'submitted'
    | 'converted';
  readonly at: number;
  readonly reason?: string;
  readonly action?: string | null;
  readonly exposure?: string;
  readonly causeMessageId?: string;
  readonly value?: string | null;
  readonly currency?: string | null;
}

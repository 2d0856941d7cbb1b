/**
 * A visitor of years has a ledger of each message that they were ever shown or refused, and there may be only so many: when
 * there are, those of messages that are deleted go, with what was answered of them, and groups that no message names. Pure.
 */
import { groupsMax, ledgersMax, type Visitor } from './visitor.ts';
import type { WorkspaceMessages } from './workspace-messages.ts';

export function withRoomMade(visitor: Visitor, messages: WorkspaceMessages): Visitor {
  const { ledgers, groups, answered } = visitor;
  const isFull = Object.keys(ledgers).length >= ledgersMax || Object.keys(groups).length >= groupsMax;
  // A definition that cannot be read is there all the same, and nobody here knows of which message it is.
  if (!isFull || messages.unreadable > 0) return visitor;
  const { byId } = messages;
  const named = new Set([...byId.values()].map(({ message }) => message.caps.group));
  return {
    ...visitor,
    ledgers: Object.fromEntries(Object.entries(ledgers).filter(([id]) => byId.has(id))),
    groups: Object.fromEntries(Object.entries(groups).filter(([group]) => named.has(group))),
    answered: answered.filter(({ messageId }) => byId.has(messageId)),
  };
}

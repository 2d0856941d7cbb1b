/** Compiled messages by workspace, for the definitions in force. */
import type { DefinitionsView } from '../runtime/definitions.ts';
import { workspaceMessages, type WorkspaceMessages } from './decide/workspace-messages.ts';

/** Workspaces whose compiled messages are kept; above it they are compiled anew. */
export const compiledWorkspacesMax = 10_000;

interface Entry {
  readonly stored: readonly unknown[];
  readonly messages: WorkspaceMessages;
}

export class RulesCache {
  #definitions: DefinitionsView | undefined;
  readonly #entries = new Map<string, Entry>();

  use(definitions: DefinitionsView): void {
    this.#definitions = definitions;
  }

  /** False until the task has read the definitions: until then nobody knows what may be shown. */
  get isReady(): boolean {
    return this.#definitions !== undefined;
  }

  of(workspace: string): WorkspaceMessages {
    if (this.#definitions === undefined)
      throw new Error('messages are asked for before definitions are in use');
    const stored = this.#definitions.list('message', workspace);
    const known = this.#entries.get(workspace);
    if (known?.stored === stored) return known.messages;
    const messages = workspaceMessages(this.#definitions, workspace);
    if (this.#entries.size >= compiledWorkspacesMax) this.#entries.clear();
    this.#entries.set(workspace, { stored, messages });
    return messages;
  }

  get unreadable(): number {
    let count = 0;
    for (const { messages } of this.#entries.values()) count += messages.unreadable;
    return count;
  }
}

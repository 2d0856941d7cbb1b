/** Compiled rules by workspace, for the definitions in force. */
import type { DefinitionsView } from '../runtime/definitions.ts';
import { settingsOf, type WorkspaceSettings } from '../runtime/workspace-settings.ts';
import { workspaceRules, type WorkspaceRules } from './decide/workspace-rules.ts';

/** Workspaces whose compiled rules are kept; above it they are compiled anew. */
export const compiledWorkspacesMax = 10_000;

interface Entry {
  readonly segments: readonly unknown[];
  readonly journeys: readonly unknown[];
  readonly settings: WorkspaceSettings;
  readonly open: ReadonlySet<string>;
  readonly rules: WorkspaceRules;
}

const none: ReadonlySet<string> = new Set();

/** Of a workspace. */
interface PastOfRules {
  /** Keys of the rules whose past is not in yet. The same set until it is another. */
  readonly openOf: (workspace: string) => ReadonlySet<string>;
  /** See WorkspaceRules. */
  readonly placedTo: (workspace: string, journeyId: string) => number;
}
const noPast: PastOfRules = { openOf: () => none, placedTo: () => -Infinity };

export class RulesCache {
  #definitions: DefinitionsView | undefined;
  #offset = -1;
  /** Checked against #definitions at #offset. */
  readonly #current = new Map<string, WorkspaceRules>();
  readonly #entries = new Map<string, Entry>();
  readonly #past: PastOfRules;

  constructor(past: PastOfRules = noPast) {
    this.#past = past;
  }

  use(definitions: DefinitionsView): void {
    if (this.#definitions === definitions && this.#offset === definitions.offset) return;
    this.#definitions = definitions;
    this.#offset = definitions.offset;
    this.#current.clear();
  }

  /** What is open has changed. */
  changed(workspace: string): void {
    this.#current.delete(workspace);
  }

  of(workspace: string): WorkspaceRules {
    const current = this.#current.get(workspace);
    if (current !== undefined) return current;
    const rules = this.#compiled(workspace);
    this.#current.set(workspace, rules);
    return rules;
  }

  get unreadable(): number {
    let count = 0;
    for (const { unreadable } of this.#current.values()) count += unreadable;
    return count;
  }

  /** Patterns stored before a bound that they are over. */
  get unusablePatterns(): number {
    let count = 0;
    for (const { unusablePatterns } of this.#current.values()) count += unusablePatterns;
    return count;
  }

  #compiled(workspace: string): WorkspaceRules {
    if (this.#definitions === undefined) throw new Error('rules are asked for before definitions are in use');
    const segments = this.#definitions.list('segment', workspace);
    const journeys = this.#definitions.list('journey', workspace);
    const settings = settingsOf(this.#definitions, workspace);
    const known = this.#entries.get(workspace);
    const open = this.#past.openOf(workspace);
    const isSame = known?.segments === segments && known.journeys === journeys && known.settings === settings;
    if (isSame && known.open === open) return known.rules;
    const placedTo = (journeyId: string): number => this.#past.placedTo(workspace, journeyId);
    const rules = { ...workspaceRules(this.#definitions, workspace, open), placedTo };
    if (this.#entries.size >= compiledWorkspacesMax) {
      this.#entries.clear();
      this.#current.clear();
    }
    this.#entries.set(workspace, { segments, journeys, settings, open, rules });
    return rules;
  }
}

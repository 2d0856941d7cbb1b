/**
 * Signs of life of pages, by workspace: that one loaded the settings, asked for messages, showed one, told what became of
 * it. An operator who has pasted a snippet sees by them whether the plugin is on and has reported (spec E row 71). They are
 * of this gateway since it started, and cost a poll next to nothing.
 */
import type { Workspace } from '../../schemas/ids.ts';
import { RecentMap } from '../runtime/recent-map.ts';

export type SignKind = 'loaded' | 'asked' | 'shown' | 'reported';
/** Ours, or Customer.io's own web plugin. */
export type PageClient = 'in_app' | 'web_plugin';

export interface Seen {
  readonly page?: string | null;
  readonly anonymousId?: string;
  readonly client?: PageClient;
}

interface Sign extends Seen {
  readonly count: number;
  /** ms. */
  readonly at: number;
}
type Signs = Readonly<Partial<Record<SignKind, Sign>>>;

export interface ShownSign {
  readonly count: number;
  readonly last_at: string;
  readonly last_page: string | null;
  readonly last_anonymous_id: string | null;
  readonly client: PageClient | null;
}
export interface Check {
  readonly state: 'on' | 'not_on' | 'no_page';
  readonly says: string;
  readonly since: string;
  readonly signs: Readonly<Record<SignKind, ShownSign | null>>;
}

/** Workspaces whose signs are kept; of twice as many at most. */
const workspacesRemembered = 5_000;
const pageCharsMax = 300;

const says = {
  on: 'The plugin is on: pages ask for messages.',
  not_on:
    'Pages load their settings and none has asked for messages: the options of the In-App Plugin need siteId and anonymousInApp: true, and nobody may be identified on the page.',
  no_page: 'No page has loaded anything of this workspace: is the snippet on it, with our host and the key?',
} as const;

export class PageSigns {
  readonly #now: () => number;
  readonly #since: number;
  readonly #signs = new RecentMap<Workspace, Signs>(workspacesRemembered);

  /** @param now ms. */
  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  note(workspace: Workspace, kind: SignKind, { page, anonymousId, client }: Seen): void {
    const before = this.#signs.get(workspace);
    const sign: Sign = {
      count: (before?.[kind]?.count ?? 0) + 1,
      at: this.#now(),
      page: page?.slice(0, pageCharsMax) ?? null,
      ...(anonymousId !== undefined && { anonymousId }),
      ...(client !== undefined && { client }),
    };
    this.#signs.set(workspace, { ...before, [kind]: sign });
  }

  of(workspace: Workspace): Check {
    const { loaded, asked, shown, reported } = this.#signs.get(workspace) ?? {};
    const state = asked !== undefined ? 'on' : loaded !== undefined ? 'not_on' : 'no_page';
    return {
      state,
      says: says[state],
      since: timeOf(this.#since),
      signs: {
        loaded: shownSign(loaded),
        asked: shownSign(asked),
        shown: shownSign(shown),
        reported: shownSign(reported),
      },
    };
  }
}

function shownSign(sign: Sign | undefined): ShownSign | null {
  if (sign === undefined) return null;
  const { count, at, page = null, anonymousId = null, client = null } = sign;
  return { count, last_at: timeOf(at), last_page: page, last_anonymous_id: anonymousId, client };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

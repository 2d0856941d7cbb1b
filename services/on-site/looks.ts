/**
 * Polls that have something to count are written down as looks. One is enough while it is on its way: the next poll of the
 * visitor finds it counted.
 */
import { RecentMap } from '../runtime/recent-map.ts';
import type { Asked, OnSiteOptions, Polled } from './ports.ts';
import type { Workspace } from '../../schemas/ids.ts';

const visitorsRemembered = 50_000;
const onTheWayMs = 5_000;

export class Looks {
  readonly #options: Pick<OnSiteOptions, 'calls' | 'newId'>;
  readonly #sent = new RecentMap<string, number>(visitorsRemembered);
  /** Looks that the log did not take; the next poll tries again. */
  failed = 0;

  constructor(options: Pick<OnSiteOptions, 'calls' | 'newId'>) {
    this.#options = options;
  }

  note(workspace: Workspace, { lane, anonymousId, moment }: Asked, { hasNews, unfilled }: Polled): void {
    const { at, page, agent, isIdentified } = moment;
    if (!hasNews || at < (this.#sent.get(lane) ?? -Infinity) + onTheWayMs) return;
    this.#sent.set(lane, at);
    const { calls, newId } = this.#options;
    const look = {
      kind: 'look',
      workspace,
      anonymousId,
      requestId: newId(),
      at,
      page,
      agent,
      isIdentified,
      unfilled,
    } as const;
    calls.send(look).catch(() => {
      this.failed += 1;
      this.#sent.set(lane, -Infinity);
    });
  }
}

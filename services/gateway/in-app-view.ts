/**
 * Asks the service in-app, on its own port on loopback. Polls that come while others are under way go together: one
 * request for many, so that a poll costs little more here than it costs there.
 *
 *   poll ──▶ waiting (bounded) ──▶ one of requestsMax requests ──▶ answers in the order asked
 *
 * Anybody may poll, so workspaces take turns: one whose site id is polled without end holds up its own polls.
 */
import { toWorkspace, type Workspace } from '../../schemas/ids.ts';
import type { InAppView } from '../on-site/plugin.ts';
import { Turns } from './questions/turns.ts';
import { ServiceAsker, unavailable } from './service-asker.ts';

export const pollsWaitingMax = 20_000;
export const workspacePollsWaitingMax = 10_000;
export const pollsARequestMax = 256;
export const requestsMax = 4;
/** As errors name it. */
export const inApp = { service: 'in-app', code: 'in_app_unavailable' } as const;

type Asked = Parameters<InAppView['poll']>[0];
type Polled = Awaited<ReturnType<InAppView['poll']>>;

interface Waiting {
  readonly asked: Asked;
  readonly resolve: (polled: Polled) => void;
  readonly reject: (error: unknown) => void;
}

export interface InAppViewOptions {
  readonly dataFolder: string;
  /** ms that only grow. */
  readonly monotonicMs?: () => number;
}

export class InAppAsker implements InAppView {
  readonly #asker: ServiceAsker;
  readonly #waiting = new Turns<Workspace, Waiting>();
  #requests = 0;

  constructor(options: InAppViewOptions) {
    this.#asker = new ServiceAsker({ ...options, ...inApp, connectionsMax: requestsMax * 2 });
  }

  poll(asked: Asked): Promise<Polled> {
    const workspace = toWorkspace(asked.workspace);
    if (this.#waiting.size >= pollsWaitingMax || this.#waiting.sizeOf(workspace) >= workspacePollsWaitingMax)
      return Promise.reject(unavailable(inApp, 'too many polls wait'));
    return new Promise((resolve, reject) => {
      this.#waiting.add(workspace, { asked, resolve, reject });
      // What comes in this turn goes together.
      setImmediate(() => {
        this.#send();
      });
    });
  }

  why(asked: Asked & { readonly messageId: string }): Promise<unknown> {
    return this.#asker.ask('why', asked);
  }

  close(): void {
    this.#asker.close();
  }

  #send(): void {
    while (this.#requests < requestsMax && this.#waiting.size > 0) {
      const together = this.#waiting.take(pollsARequestMax);
      this.#requests += 1;
      void this.#sendTogether(together);
    }
  }

  async #sendTogether(together: readonly Waiting[]): Promise<void> {
    try {
      const asked = together.map((one) => one.asked);
      const polled = (await this.#asker.ask('polls', asked)) as readonly (Polled | null | 'too_dear')[]; // services/in-app/polls.ts
      together.forEach(({ resolve, reject }, index) => {
        const answer = polled[index] ?? null;
        if (answer === null) reject(unavailable(inApp, 'it does not have the visitor yet'));
        else if (answer === 'too_dear')
          reject(unavailable(inApp, 'messages of this workspace take too long to decide'));
        else resolve(answer);
      });
    } catch (error) {
      for (const { reject } of together) reject(error);
    } finally {
      this.#requests -= 1;
      this.#send();
    }
  }
}

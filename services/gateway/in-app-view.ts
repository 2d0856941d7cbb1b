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
import { actionBodyBytesMax } from '../runtime/status-server.ts';
import { WorkspaceCounts } from '../runtime/workspace-counts.ts';
import { FairQueue, type QueueLimits } from './questions/fair-queue.ts';
import { Turns } from './questions/turns.ts';
import { askMsMax, ServiceAsker, unavailable } from './service-asker.ts';

export const pollsWaitingMax = 20_000;
export const workspacePollsWaitingMax = 10_000;
/** Of JSON that waits, of all and of a workspace; a small part is always a workspace's own. */
const pollsWaitingBytesMax = 64 * 1_024 * 1_024;
const workspacePollsBytesMax = pollsWaitingBytesMax / 2;
const workspacePollsBytesReserved = 256 * 1_024;
export const pollsARequestMax = 256;
/** A quarter of what the service takes (services/runtime/status-server.ts): a poll may carry as much as a head of HTTP does. */
const pollsARequestBytesMax = actionBodyBytesMax / 4;
export const requestsMax = 4;
/**
 * Questions why a message is not shown, each of which fills in its texts: they go by the connections that polls go by, so of
 * very many at once all but two wait here.
 */
export const whyLimits: QueueLimits = {
  runningMax: 2,
  workspaceRunningMax: 1,
  waitingMax: 1_000,
  workspaceWaitingMax: 32,
  waitMsMax: askMsMax,
};
/** As errors name it. */
export const inApp = { service: 'in-app', code: 'in_app_unavailable' } as const;

type Asked = Parameters<InAppView['poll']>[0];
type Polled = Awaited<ReturnType<InAppView['poll']>>;

interface Waiting {
  readonly workspace: Workspace;
  /** JSON of what is asked. */
  readonly text: string;
  readonly bytes: number;
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
  readonly #bytes = new WorkspaceCounts({
    max: pollsWaitingBytesMax,
    ofWorkspaceMax: workspacePollsBytesMax,
    reservedMin: workspacePollsBytesReserved,
  });
  readonly #questions = new FairQueue(whyLimits, 'in-app');
  #requests = 0;

  constructor(options: InAppViewOptions) {
    this.#asker = new ServiceAsker({ ...options, ...inApp, connectionsMax: requestsMax * 2 });
  }

  poll(asked: Asked): Promise<Polled> {
    const workspace = toWorkspace(asked.workspace);
    if (!this.#hasRoomOf(workspace)) return Promise.reject(unavailable(inApp, 'too many polls wait'));
    const text = JSON.stringify(asked);
    const bytes = Buffer.byteLength(text);
    return new Promise((resolve, reject) => {
      this.#waiting.add(workspace, { workspace, text, bytes, resolve, reject });
      this.#bytes.addOf(workspace, bytes);
      // What comes in this turn goes together.
      setImmediate(() => {
        this.#send();
      });
    });
  }

  why(asked: Asked & { readonly messageId: string }): Promise<unknown> {
    return this.#questions.run(toWorkspace(asked.workspace), () => this.#asker.ask('why', asked));
  }

  close(): void {
    this.#asker.close();
  }

  #hasRoomOf(workspace: Workspace): boolean {
    if (this.#waiting.size >= pollsWaitingMax) return false;
    if (this.#waiting.sizeOf(workspace) >= workspacePollsWaitingMax) return false;
    return this.#bytes.hasRoomOf(workspace);
  }

  #send(): void {
    while (this.#requests < requestsMax && this.#waiting.size > 0) {
      const together = this.#take();
      this.#requests += 1;
      void this.#sendTogether(together);
    }
  }

  /** In turn; bounded in bytes as well, or one caller's long polls would have all that go with them refused. */
  #take(): readonly Waiting[] {
    const together: Waiting[] = [];
    let bytes = 0;
    while (together.length < pollsARequestMax && bytes < pollsARequestBytesMax) {
      const [next] = this.#waiting.take(1);
      if (next === undefined) break;
      this.#bytes.addOf(next.workspace, -next.bytes);
      together.push(next);
      bytes += next.bytes;
    }
    return together;
  }

  async #sendTogether(together: readonly Waiting[]): Promise<void> {
    try {
      const asked = `[${together.map(({ text }) => text).join(',')}]`;
      const polled = (await this.#asker.askText('polls', asked)) as readonly (Polled | null | 'too_dear')[]; // services/in-app/polls.ts
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

/** Asks the service trigger why a person is in a segment, and what a journey would do with them. */
import type { RulesView } from '../app/ports.ts';
import { toWorkspace } from '../../schemas/ids.ts';
import { FairQueue, type QueueLimits } from './questions/fair-queue.ts';
import { askMsMax, ServiceAsker, startingAgain } from './service-asker.ts';

/** The trigger looks at people for some seconds, and reads them before. */
const replayMsMax = 60_000;
/** The trigger decides between two answers. */
export const triggerLimits: QueueLimits = {
  runningMax: 4,
  workspaceRunningMax: 2,
  waitingMax: 1_000,
  workspaceWaitingMax: 32,
  waitMsMax: askMsMax,
};

/**
 * It goes through the past of one call at a time, for some seconds. Workspaces take turns, so that one that asks again and
 * again has one call of another between each two of its own.
 */
export const pastLimits: QueueLimits = {
  runningMax: 1,
  workspaceRunningMax: 1,
  waitingMax: 100,
  workspaceWaitingMax: 2,
  waitMsMax: 30_000,
};

export class TriggerAsker implements RulesView {
  readonly #asker: ServiceAsker;
  readonly #queue = new FairQueue(triggerLimits, 'the trigger');
  readonly #pastQueue = new FairQueue(pastLimits, 'the trigger');

  constructor({ dataFolder }: { readonly dataFolder: string }) {
    this.#asker = new ServiceAsker({
      dataFolder,
      service: 'trigger',
      connectionsMax: triggerLimits.runningMax + pastLimits.runningMax,
      code: 'trigger_unavailable',
    });
  }

  async explain(asked: Parameters<RulesView['explain']>[0]): ReturnType<RulesView['explain']> {
    const answered = (await this.#ask('explain', asked)) as Awaited<ReturnType<RulesView['explain']>>; // services/trigger/answers.ts
    if (answered.type === 'not_here')
      throw this.#asker.unavailable(`${startingAgain} (it does not have the person)`);
    return answered;
  }

  async past(asked: Parameters<RulesView['past']>[0]): ReturnType<RulesView['past']> {
    return (await this.#ask('past', asked)) as Awaited<ReturnType<RulesView['past']>>; // the same
  }

  #ask(what: string, asked: { readonly workspace: string }): Promise<unknown> {
    return this.#queue.run(toWorkspace(asked.workspace), () => this.#asker.ask(what, asked));
  }

  async replay(asked: Parameters<RulesView['replay']>[0]): ReturnType<RulesView['replay']> {
    return (await this.#past('replay', asked)) as Awaited<ReturnType<RulesView['replay']>>; // services/trigger/past/replayer.ts
  }

  async rehearse(asked: Parameters<RulesView['rehearse']>[0]): ReturnType<RulesView['rehearse']> {
    return (await this.#past('rehearse', asked)) as Awaited<ReturnType<RulesView['rehearse']>>; // the same
  }

  async #past(what: 'replay' | 'rehearse', asked: { readonly workspace: string }): Promise<unknown> {
    const answered = (await this.#pastQueue.run(toWorkspace(asked.workspace), () =>
      this.#asker.ask(what, asked, replayMsMax),
    )) as { readonly type: string }; // the same
    if (answered.type === 'not_here')
      throw this.#asker.unavailable(`${startingAgain} (it has not read the definitions)`);
    return answered;
  }

  close(): Promise<void> {
    this.#asker.close();
    return Promise.resolve();
  }
}

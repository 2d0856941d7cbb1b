/** Asks the service trigger why a person is in a segment, and what a journey would do with them. */
import type { RulesView } from '../app/ports.ts';
import { ServiceAsker } from './service-asker.ts';

/** At once; the trigger decides between two answers. */
const connectionsMax = 4;

export class TriggerAsker implements RulesView {
  readonly #asker: ServiceAsker;

  constructor({ dataFolder }: { readonly dataFolder: string }) {
    this.#asker = new ServiceAsker({
      dataFolder,
      service: 'trigger',
      connectionsMax,
      code: 'trigger_unavailable',
    });
  }

  async explain(asked: Parameters<RulesView['explain']>[0]): ReturnType<RulesView['explain']> {
    const answered = (await this.#asker.ask('explain', asked)) as Awaited<ReturnType<RulesView['explain']>>; // services/trigger/answers.ts
    if (answered.type === 'not_here') throw this.#asker.unavailable('it does not have the person');
    return answered;
  }

  async past(asked: Parameters<RulesView['past']>[0]): ReturnType<RulesView['past']> {
    return (await this.#asker.ask('past', asked)) as Awaited<ReturnType<RulesView['past']>>; // the same
  }

  close(): Promise<void> {
    this.#asker.close();
    return Promise.resolve();
  }
}

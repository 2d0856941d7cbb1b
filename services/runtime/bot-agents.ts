/**
 * Programs that read pages and are no visitors, as far as their user agents say so: by the kept list of the package isbot,
 * which nothing else imports. In-app decides by it, so a new list is a new version of its decider. A browser without a window is none of them: shops test themselves with one. Pure but for what
 * it remembers.
 */
import { createIsbotFromList, list } from 'isbot';
import { RecentMap } from './recent-map.ts';

const WITHOUT_A_WINDOW = /headless/;
/** Longer ones are cut: nobody's browser has one, and all patterns are tried on it. */
const agentCharsMax = 500;
const agentsRemembered = 2_000;

const isListed = createIsbotFromList(list.filter((pattern) => !WITHOUT_A_WINDOW.test(pattern)));
const known = new RecentMap<string, boolean>(agentsRemembered);

export function isBotAgent(agent: string): boolean {
  const read = agent.length > agentCharsMax ? agent.slice(0, agentCharsMax) : agent;
  let isBot = known.get(read);
  if (isBot === undefined) {
    isBot = isListed(read);
    known.set(read, isBot);
  }
  return isBot;
}

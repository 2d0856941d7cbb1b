/**
 * Programs that read pages and are no visitors, as far as they say so. A browser without a window is none of them: shops
 * test themselves with one.
 */
const BOTS =
  /bot\b|bot[/;) ]|crawl|spider|slurp|facebookexternalhit|mediapartners|lighthouse|pingdom|preview|curl\/|wget\/|python-requests|go-http-client/i;

const agentCharsRead = 500;

export function isBotAgent(agent: string): boolean {
  return BOTS.test(agent.slice(0, agentCharsRead));
}

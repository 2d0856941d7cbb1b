/** The segment and the journey that the sample storefront meets. */
import { CodedError } from '../../services/runtime/errors.ts';
import type { Installation } from './installation.ts';

export interface SampleRules {
  readonly segment: { readonly id: string; readonly event: string };
  readonly journey: { readonly id: string; readonly event: string };
}

/** HINDSIGHT_IN_FORCE_WAIT_MS is at most 30 s. */
const answerMsMax = 45_000;

export const rules: SampleRules = {
  segment: { id: 'cart-lovers', event: 'Added to Cart' },
  journey: { id: 'checkout-follow-up', event: 'Checkout Started' },
};

/**
 * Stores them over HTTP, as an operator would. @throws CodedError `rule_not_in_force`: they are stored, but what would be
 * played now might not meet them.
 */
export async function applyRules({ http, keys }: Pick<Installation, 'http' | 'keys'>): Promise<void> {
  const put = async (path: string, body: unknown): Promise<void> => {
    const answer = await fetch(`${http}/v1/definitions/${path}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${keys.app_key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerMsMax),
    });
    if (answer.status === 200) return;
    const said = `${String(answer.status)} ${await answer.text()}`;
    if (answer.status === 202) {
      throw new CodedError(
        'rule_not_in_force',
        `could not begin: ${path} is stored, but not in force: ${said}`,
      );
    }
    throw new CodedError('rule_refused', `could not store ${path}: ${said}`);
  };
  const { segment, journey } = rules;
  await put(`segments/${segment.id}`, {
    name: 'Put something into the cart within a week',
    type: 'data_driven',
    when: { event: segment.event, within: 'P7D' },
  });
  await put(`journeys/${journey.id}`, {
    name: 'Follow up on a checkout',
    state: 'running',
    trigger: { event: journey.event },
    frequency: { mode: 'once' },
  });
}

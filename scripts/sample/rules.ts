/** The segments, the journey and the on-site message that the sample storefront meets. */
import { CodedError } from '../../services/runtime/errors.ts';
import { waitUntilSettled, type Installation } from './installation.ts';

export interface SampleRules {
  /** Whoever did the event is in it. The story tells of the first. */
  readonly segments: readonly { readonly id: string; readonly event: string; readonly definition: object }[];
  readonly journey: { readonly id: string; readonly event: string };
  readonly message: { readonly id: string };
}

/** HINDSIGHT_IN_FORCE_WAIT_MS is at most 30 s. */
const answerMsMax = 45_000;

export const rules: SampleRules = {
  segments: [
    {
      id: 'cart-lovers',
      event: 'Added to Cart',
      definition: {
        name: 'Put something into the cart within a week',
        type: 'data_driven',
        when: { event: 'Added to Cart', within: 'P7D' },
      },
    },
    {
      id: 'buyers',
      event: 'Order Completed',
      definition: {
        name: 'Ordered within 30 days',
        type: 'data_driven',
        when: { event: 'Order Completed', within: 'P30D' },
      },
    },
  ],
  journey: { id: 'checkout-follow-up', event: 'Checkout Started' },
  message: { id: 'welcome-offer' },
};

/** Three of ten see nothing, so that there is somebody to compare with. */
const message = {
  name: 'An offer to those whom nobody knows',
  state: 'running',
  frequency: { mode: 'once' },
  suppress: [],
  holdout: 0.3,
  content: {
    kind: 'modal',
    title: 'New here?',
    body: 'Ten per cent off the first pair.',
    actions: [{ name: 'shop', label: 'See the boots', url: 'https://shop.example/products/p-boots' }],
  },
};

/** A slow machine that has just started takes its time until every task has a definition. */
const inForceMsMax = 300_000;

/**
 * Stores them over HTTP, as an operator would, and waits until each is in force, since what is played before might not
 * meet it. @throws CodedError `rule_not_in_force` after `msMax`: they are stored.
 */
export async function applyRules(
  { http, keys }: Pick<Installation, 'http' | 'keys'>,
  msMax = inForceMsMax,
): Promise<void> {
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
      await waitUntilSettled({ http }, msMax).catch((cause: unknown) => {
        const why = `${path} is stored, but after ${String(msMax / 1_000)} s not in force: ${said}`;
        throw new CodedError('rule_not_in_force', `could not begin: ${why}`, { cause });
      });
      return;
    }
    throw new CodedError('rule_refused', `could not store ${path}: ${said}`);
  };
  for (const { id, definition } of rules.segments) await put(`segments/${id}`, definition);
  await put(`journeys/${rules.journey.id}`, {
    name: 'Follow up on a checkout',
    state: 'running',
    trigger: { event: rules.journey.event },
    frequency: { mode: 'once' },
  });
  await put(`messages/${rules.message.id}`, message);
}

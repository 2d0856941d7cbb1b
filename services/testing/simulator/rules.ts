/** Segments and journeys of the simulated shop, of every kind whose outcome is certain whatever goes wrong. */
import { checkoutName, orderName } from './workload.ts';

export interface SimulatedRule {
  readonly kind: 'segment' | 'journey';
  readonly body: { readonly name: string; readonly [member: string]: unknown };
}

/** How long after a checkout nothing may be ordered, and how long an order counts as a late one. */
export const stallMs = 5_000;
const seconds = (ms: number): string => `PT${String(ms / 1_000)}S`;

/** A segment and a journey of those who did this. */
export function plainRules(when: { readonly event: string }): readonly SimulatedRule[] {
  return [
    { kind: 'segment', body: { name: 'ordered', type: 'data_driven', when } },
    { kind: 'journey', body: { name: 'thanks', state: 'running', trigger: when, frequency: once } },
  ];
}
const once = { mode: 'once' };
const always = { mode: 'every_rematch' };
const order = { event: orderName };

export const shopRules: readonly SimulatedRule[] = [
  ...plainRules(order),
  {
    kind: 'segment',
    body: { name: 'lately', type: 'data_driven', when: { ...order, within: seconds(2 * stallMs) } },
  },
  {
    kind: 'segment',
    body: { name: 'pro', type: 'data_driven', when: { attribute: 'plan', operator: 'eq', value: 'pro' } },
  },
  { kind: 'journey', body: { name: 'each', state: 'running', trigger: order, frequency: always } },
  {
    kind: 'journey',
    body: {
      ...{ name: 'welcome', state: 'running', frequency: always },
      trigger: { segment: 'ordered', on: 'entered' },
    },
  },
  {
    kind: 'journey',
    body: {
      ...{ name: 'stalled', state: 'running', frequency: always },
      trigger: { event: checkoutName, without: order, for: seconds(stallMs) },
    },
  },
];

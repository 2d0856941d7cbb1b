/**
 * What Node is given when it runs a service: by the launcher, by the benches and by `npm run service`.
 * docs/decisions/runtime.md has the figures.
 */
/** Left alone, Node 24 takes a third more memory for the same work. */
const SEMI_SPACE_MIB_MAX = 16;

/** Of every service, and of what is measured beside them. */
export const serviceNodeOptions = [`--max-semi-space-size=${SEMI_SPACE_MIB_MAX}`];

/**
 * V8 makes what has often lived long among the old from then on. What a call holds while it waits for the log lives for as
 * long as that takes: at the gateway's start for long, and then for 10 ms, by the thousands per second.
 */
const GATEWAY_OPTIONS = ['--no-allocation-site-pretenuring'];

/** @param name of the service; `ingest` is the gateway by another name. */
export function nodeOptionsOf(name) {
  const isGateway = name === 'gateway' || name === 'ingest';
  return isGateway ? [...serviceNodeOptions, ...GATEWAY_OPTIONS] : serviceNodeOptions;
}

/**
 * What Node is given when it runs a service: by the launcher, by the benches and by `npm run service`.
 * Left alone, Node 24 lets the young generation grow as it likes; docs/decisions/runtime.md has what that costs.
 */
const SEMI_SPACE_MIB_MAX = 16;

export const serviceNodeOptions = [`--max-semi-space-size=${SEMI_SPACE_MIB_MAX}`];

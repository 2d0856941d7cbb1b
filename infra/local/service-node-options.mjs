/**
 * What Node is given when it runs a service: by the launcher, by the benches and by `npm run service`.
 * Left alone, Node 24 takes a third more memory for the same work; docs/decisions/runtime.md has the figures.
 */
const SEMI_SPACE_MIB_MAX = 16;

export const serviceNodeOptions = [`--max-semi-space-size=${SEMI_SPACE_MIB_MAX}`];

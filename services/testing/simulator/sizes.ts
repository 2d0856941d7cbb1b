/** How large a simulated run is. */
export const defaultSize = {
  partitions: 4,
  visitors: 40,
  people: 18,
  spanMs: 40_000,
  asks: 250,
  clients: 3,
  callsOfClient: 35,
};
/** Without the shop, whose calls lie within five minutes of each other. */
export const leapingSize = {
  ...defaultSize,
  visitors: 0,
  people: 0,
  clients: 4,
  callsOfClient: 45,
  leaps: true,
};

/** What a message id is for, where a client's engineer reads it (contract, *Words*). */
export const REPEATS =
  'A repeat of it by the same visitor (or, without one, the same person) and userId is left out, for two days by receive ' +
  'time; a number is its digits. Without it, or under other names, two copies are two events.';

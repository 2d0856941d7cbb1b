/**
 * How often a property is tried: so often in `npm test`, and TEST_TIMES times as often where somebody has the
 * time, as `npm run test:long` does (4).
 */
const times = Number(process.env['TEST_TIMES'] ?? 1);

export const runs = (inShort: number): number => Math.max(1, Math.ceil(inShort * times));

/** What a definition may ask for at most. The state a person costs is bounded by these. */
export const conditionDepthMax = 10;
export const conditionNodesMax = 200;
export const conditionsPerGroupMax = 50;
export const testsPerEventMax = 20;
/** `at_least n` keeps n marks for each person, about 60 bytes each. */
export const countMax = 1_000;
/** `distinct` keeps one mark for each of n values. */
export const distinctMax = 200;
export const sequenceStepsMax = 10;
/** Of the segments that a definition refers to, and those behind them, each as often as it is referred to. */
export const referencedConditionsMax = 1_000;
/** A stall or a sequence keeps this many marks of a person at most (stall.ts, sequence.ts). */
export const stallMarksMax = 64;
export const sequenceMarksMax = 64;
/** Of a person, deleted ones among them: those told of longest ago are forgotten. */
export const devicesMax = 100;
/** At most so many entries of a journey in a period. */
export const entriesPerPeriodMax = 100;
export const listValuesMax = 1_000;
export const textCharsMax = 1_000;
export const descriptionCharsMax = 4_000;
export const durationMsMax = 730 * 86_400_000;
/** A body is refused with its first faults only, so that the answer stays readable. */
export const faultsMax = 100;
/** A distinct value longer than this is kept as its hash. */
export const distinctValueCharsMax = 128;

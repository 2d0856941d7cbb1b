/** Spec C.1 rows 11 and 12: an older event counts for segments and history, and triggers no journey. */
export const triggerAgeMsMax = 72 * 3_600_000;

/**
 * The longest that a call may have been received before its event reaches the log, ms. Ingest stamps a call when it
 * takes it and answers when the log has it; while the log does not answer, events wait on the gateway's disk, and it takes
 * no more once what waits there is HINDSIGHT_SPOOL_HOLD_HOURS_MAX old. The test clock lets a caller say an earlier time,
 * and ingest refuses one that is further back. Lanes keep message ids and waiting events so much longer.
 */
export const holdMsMax = 24 * 3_600_000;

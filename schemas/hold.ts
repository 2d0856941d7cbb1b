/**
 * The longest that a call may have been received before its event reaches the log, ms. Ingest stamps a call when it
 * takes it and answers when the log has it, or refuses it, within a minute; only the test clock lets a caller say an
 * earlier time, and ingest refuses one that is further back. Lanes keep message ids and waiting events so much longer.
 */
export const holdMsMax = 24 * 3_600_000;

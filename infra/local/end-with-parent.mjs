/**
 * Loaded into a process that is nothing without the one that started it. A parent that was killed, or a shell between
 * the two that died of a signal, passes nothing on: so whoever finds itself with another parent tells itself to end.
 */
const PARENT_POLL_MS = 500;
const parent = process.ppid;

const poll = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(poll);
  process.kill(process.pid, 'SIGTERM');
}, PARENT_POLL_MS);
poll.unref();

/** The toy service as a process of its own, for tests that kill it for real. */
import { runTaskService } from '../../runtime/task/run-service.ts';
import { toyService } from '../toy-service.ts';

const service = await runTaskService(toyService, process.env);
process.on('SIGTERM', () => {
  void service.stop().then(() => process.exit(0));
});

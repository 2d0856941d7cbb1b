/** The toy service as a process of its own, for tests that kill it for real. */
import { runTaskService } from '../../runtime/task/run-service.ts';
import { storingToyService, toyService } from './toy-service.ts';

const spec = process.argv[2] === 'storing' ? storingToyService : toyService;
const service = await runTaskService(spec, process.env);
process.on('SIGTERM', () => {
  void service.stop().then(() => process.exit(0));
});

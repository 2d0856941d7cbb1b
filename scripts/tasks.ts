/**
 * `npm run tasks -- --service merger --tasks N`: changes the number of tasks of a service that is stopped everywhere.
 * Then set HINDSIGHT_TASKS to the same number and start it.
 */
import { parseArgs } from 'node:util';
import { identityService } from '../services/identity/service.ts';
import { inAppService } from '../services/in-app/service.ts';
import { lanesService } from '../services/merger/service.ts';
import { CodedError } from '../services/runtime/errors.ts';
import { runTasksCommand } from '../services/runtime/task/tasks-command.ts';
import { triggerService } from '../services/trigger/service.ts';

const services = new Map(
  [lanesService, identityService, triggerService, inAppService].map((spec) => [spec.name as string, spec]),
);
const { values } = parseArgs({ options: { service: { type: 'string' }, tasks: { type: 'string' } } });
const spec = services.get(values.service ?? '');
const tasks = Number(values.tasks);

if (spec === undefined || !Number.isInteger(tasks)) {
  console.error(`usage: npm run tasks -- --service ${[...services.keys()].join('|')} --tasks N`);
  process.exitCode = 2;
} else {
  try {
    const { layout } = await runTasksCommand(spec, tasks, process.env);
    console.log(`${spec.name} has ${String(tasks)} tasks now (layout ${String(layout)})`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    if (error instanceof CodedError && error.hint !== undefined) console.error(error.hint);
    process.exitCode = 1;
  }
}

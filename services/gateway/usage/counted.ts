/** Intake and producer of calls that look at the disk first, and count what was kept for its workspace. */
import { toWorkspace, type Workspace } from '../../../schemas/ids.ts';
import type { Intake } from '../../ingest/ports.ts';
import { CodedError } from '../../runtime/errors.ts';
import type { Producer } from '../../runtime/log/ports.ts';
import type { DiskRoom } from './disk-room.ts';
import type { WorkspaceBytes } from './workspace-bytes.ts';

export interface Usage {
  readonly bytes: Pick<WorkspaceBytes, 'add' | 'waitS'>;
  readonly disk: Pick<DiskRoom, 'check'>;
}

/** What the plugin of ingest is given of them. */
export function countedPorts(
  { intake, producer }: { readonly intake: Intake; readonly producer: Pick<Producer, 'send'> },
  usage: Usage,
) {
  return {
    intake: countedIntake(intake, usage),
    producer: countedControls(producer, usage),
    quotaWaitS: (workspace: Workspace) => usage.bytes.waitS(workspace),
  };
}

function countedIntake(intake: Intake, { bytes, disk }: Usage): Intake {
  return {
    take: async (records) => {
      disk.check();
      await intake.take(records);
      bytes.add(records.workspace, records.bytes);
    },
    untilOnLog: async () => {
      disk.check();
      await intake.untilOnLog();
    },
  };
}

/** Of control calls and their markers, whose key is their workspace. */
function countedControls(
  producer: Pick<Producer, 'send'>,
  { bytes }: Pick<Usage, 'bytes'>,
): Pick<Producer, 'send'> {
  return {
    send: async (topic, key, value, partition) => {
      const offset = await producer.send(topic, key, value, partition);
      bytes.add(toWorkspace(Buffer.from(key).toString()), key.length + value.length);
      return offset;
    },
  };
}

/** Of calls that are no events, such as what pages report of messages: kept like these, and bounded like these. */
export function admit({ bytes, disk }: Usage, workspace: Workspace): void {
  disk.check();
  const retryAfterS = bytes.waitS(workspace);
  if (retryAfterS === undefined) return;
  const text = `could not take the call: workspace ${workspace} has brought as much as its quota allows`;
  throw new CodedError('workspace_over_quota', text, { retryAfterS });
}

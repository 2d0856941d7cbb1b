import { expect, test } from '@jest/globals';
import { silentLogger } from '../runtime/logger.ts';
import { FoldedTopic, workspaceWritesWaitingMax, writesWaitingMax } from './folded-topic.ts';

function topic(): FoldedTopic {
  const none = (): never => {
    throw new Error('nothing is read or written here');
  };
  return new FoldedTopic({
    topic: 'definitions',
    what: 'definitions',
    apply: none,
    log: {
      admin: {
        createTopics: none,
        partitionsOf: none,
        endOffsets: none,
        writtenOffsets: none,
        startOffsets: none,
        committedOffsets: none,
      },
      reader: none,
    },
    producer: { send: none },
    logger: silentLogger,
    learnSchema: none,
  });
}

test('workspaces take turns in writing, each in its order, and one that writes very much is told so', async () => {
  const folded = topic();
  const done: string[] = [];
  const work = (name: string) => async () => {
    await new Promise((next) => setImmediate(next));
    done.push(name);
    if (name === 'loud 1') throw new Error('this one fails');
    return name;
  };
  const codes: unknown[] = [];
  const settled: Promise<unknown>[] = [];
  const give = (workspace: string, name: string) => {
    const refuse = (error: unknown) => codes.push((error as { code?: string }).code ?? 'failed');
    settled.push(folded.inTurn(work(name), workspace).catch(refuse));
  };
  for (let n = 0; n < workspaceWritesWaitingMax + 3; n++) give('loud', `loud ${String(n)}`);
  give('quiet', 'quiet');
  await Promise.all(settled);
  expect(done.slice(0, 4)).toEqual(['loud 0', 'loud 1', 'quiet', 'loud 2']);
  // One is under way, and those behind it wait.
  expect(done).toHaveLength(workspaceWritesWaitingMax + 2);
  expect(codes).toEqual(['definitions_overloaded', 'definitions_overloaded', 'failed']);
  expect(await folded.inTurn(() => Promise.resolve('after'), 'loud')).toBe('after');
});

test('all workspaces together have a bound, too', async () => {
  const folded = topic();
  const given = Array.from({ length: writesWaitingMax + 3 }, (_, n) =>
    folded.inTurn(() => Promise.resolve('written'), `w${String(n)}`).catch((error: unknown) => error),
  );
  const answers = await Promise.all(given);
  expect(answers.filter((each) => each !== 'written')).toHaveLength(2);
});

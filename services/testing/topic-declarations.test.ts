import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { topicIds, topics, type Party, type TopicId } from '../../schemas/topics.ts';
import { identityService } from '../identity/service.ts';
import { inAppService } from '../in-app/service.ts';
import { lanesService } from '../merger/service.ts';
import { sinkTopics } from '../sink/tables.ts';
import { triggerService } from '../trigger/service.ts';

const services = [lanesService, identityService, triggerService, inAppService];
const ids = (list: Iterable<TopicId>): TopicId[] => [...new Set(list)].sort();
const readBy = (party: Party): TopicId[] => ids(topicIds.filter((id) => topics[id].readers.includes(party)));
const touchedBy = (party: Party): TopicId[] =>
  ids(topicIds.filter((id) => [...topics[id].readers, ...topics[id].writers].includes(party)));

/** Topics that a room's own production code names. */
function namedIn(...rooms: string[]): TopicId[] {
  const files = rooms.flatMap((room) =>
    readdirSync(`services/${room}`, { recursive: true, encoding: 'utf8' }).map(
      (file) => `services/${room}/${file}`,
    ),
  );
  const code = files.filter((file) => file.endsWith('.ts') && !file.includes('.test.'));
  const text = code.map((file) => readFileSync(file, 'utf8'));
  return ids(topicIds.filter((id) => text.some((one) => one.includes(`'${id}'`))));
}

/** Of each stateful service: what the shell does for it (runtime/task). */
const byTheShell: readonly TopicId[] = ['definitions', 'eventsDropped', 'deadLetters'];
/** What a service follows beside its tasks, since it decides nothing. */
const besideTasks: Readonly<Partial<Record<Party, readonly TopicId[]>>> = { 'in-app': ['tablesChanged'] };
/** Topics of which a service asks only how far the sink has read them. */
const askedFor: Readonly<Partial<Record<Party, readonly TopicId[]>>> = { trigger: ['identityLog'] };

describe('topics.ts says of each topic who writes and who reads it', () => {
  test.each(services)('$name reads its inputs, its journal and the definitions', (service) => {
    const beside = besideTasks[service.name] ?? [];
    expect(readBy(service.name)).toEqual(ids([...service.inputs, service.journal, 'definitions', ...beside]));
  });

  test('the sink reads the topics that have a table', () => {
    expect(readBy('sink')).toEqual(ids(sinkTopics));
  });

  test.each(services)('$name names no topic that it neither reads nor writes', (service) => {
    const others = [...byTheShell, ...(askedFor[service.name] ?? [])];
    const named = namedIn(service.name).filter((id) => !others.includes(id));
    expect(touchedBy(service.name).filter((id) => !byTheShell.includes(id))).toEqual(named);
  });

  test('the gateway names what it writes and reads, and the stages that it waits for', () => {
    expect(namedIn('gateway', 'ingest', 'app', 'on-site')).toEqual(
      expect.arrayContaining(touchedBy('gateway')),
    );
  });

  test('each topic is written by somebody, and read by somebody', () => {
    for (const id of topicIds) {
      expect(topics[id].writers.length).toBeGreaterThan(0);
      expect(topics[id].readers.length).toBeGreaterThan(0);
    }
  });
});

/**
 * Attacks an installation one bound after the other, while two bystanders send an event each second: one in the
 * workspace whose public key the attacker has, one in another. Then everything is stopped, started and looked at again.
 */
import { partitionOf } from '../../schemas/partitioner.ts';
import { EMBEDDED_PARTITIONS } from '../../schemas/topics.ts';
import { CodedError } from '../../services/runtime/errors.ts';
import type { Keys } from '../../services/testing/stack.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { attacks } from './attacks.ts';
import { Bystander } from './bystander.ts';
import { Caller, type Answers } from './caller.ts';
import { Reader } from './reader.ts';
import { measuresOf, type AttackReport, type Stretch } from './report.ts';
import type { Target } from './target.ts';
import { Watch } from './watch.ts';

export interface AttackOptions {
  readonly target: Target;
  /** 1 for all of it; less sends less of the same. */
  readonly size: number;
  /** Items that an attacker sends, a second. */
  readonly itemsPerSecond: number;
  /** Of quiet time before, after, and after the start, ms. */
  readonly quietMs: number;
  /** Those whose names have one of these in them; without it all. */
  readonly only?: readonly string[];
  readonly print: (line: string) => void;
}

const evil = 'evil';

export async function runAttacks(options: AttackOptions): Promise<AttackReport> {
  const { target, print } = options;
  const evilKeys = await makeWorkspace(target, evil);
  const neighbour = neighbourOf(evil);
  const quietKeys = await makeWorkspace(target, neighbour);
  const reader = new Reader(target.clickhouse);
  const { http, keys } = target;
  const bystanders = [
    new Bystander({ name: 'elsewhere', workspace: neighbour, keys: quietKeys, http }, reader),
    new Bystander({ name: 'beside', workspace: 'default', keys, http }, reader),
  ];
  const watch = new Watch(target);
  const done: Omit<Stretch, 'measures'>[] = [];
  const stretch = async (name: string, work: () => Promise<Answers | undefined>): Promise<void> => {
    const began = performance.now();
    for (const bystander of bystanders) bystander.stretch = name;
    const answers = await work();
    const ms = performance.now() - began;
    done.push({ name, ms, ...(answers !== undefined && { answers }) });
    print(`${name}: ${(ms / 1_000).toFixed(0)} s`);
  };
  const quiet = (name: string) => stretch(name, () => sleep(options.quietMs, undefined));
  const resume = (): void => {
    for (const bystander of bystanders) bystander.start(target.http);
    watch.start();
  };
  const pause = async (): Promise<void> => {
    await Promise.all(bystanders.map((bystander) => bystander.stop()));
    await watch.stop();
  };
  try {
    for (const bystander of bystanders) await bystander.prepare();
    await target.settled();
    resume();
    await quiet('before');
    const { only = [''] } = options;
    for (const attack of attacks.filter(({ name }) => only.some((each) => name.includes(each)))) {
      const callerKeys = attack.by === 'public key' ? keys : evilKeys;
      const caller = new Caller(target.http, callerKeys, options.itemsPerSecond);
      await stretch(attack.name, async () => {
        await attack.run(caller, options.size);
        await target.settled();
        return caller.answers;
      });
    }
    await quiet('after');
    await pause();
    await stretch('restart', async () => {
      await target.restart();
      await reader.reopen(target.clickhouse);
      resume();
      return undefined;
    });
    await quiet('after the restart');
    await pause();
    await target.settled();
    return {
      stretches: done.map((each) => ({ ...each, measures: measuresOf(each.name, bystanders) })),
      looks: watch.looks,
      notReady: watch.notReady,
      firstNotReady: watch.firstNotReady,
      memory: watch.memory,
      dropped: await reader.dropped(),
      bystanders: await Promise.all(bystanders.map((bystander) => tally(bystander, reader))),
    };
  } finally {
    await pause();
    await reader.close();
  }
}

async function tally(bystander: Bystander, reader: Reader): Promise<AttackReport['bystanders'][number]> {
  const { name, workspace, acknowledged, refused } = bystander;
  const times = await reader.timesSeen(workspace, acknowledged);
  const lost = acknowledged.filter((id) => !times.has(id)).length;
  const doubled = [...times.values()].filter((count) => count > 1).length;
  return { name, acknowledged: acknowledged.length, refused, lost, doubled };
}

/** The one that suffers most: its calls to identity lie in the same partition. */
function neighbourOf(workspace: string): string {
  const partition = partitionOf(workspace, EMBEDDED_PARTITIONS);
  for (let number = 1; ; number += 1) {
    const name = `quiet-${String(number)}`;
    if (partitionOf(name, EMBEDDED_PARTITIONS) === partition) return name;
  }
}

async function makeWorkspace({ http, keys }: Target, name: string): Promise<Keys> {
  const response = await fetch(`${http}/v1/workspaces/${name}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${keys.admin_key ?? ''}`, 'content-type': 'application/json' },
    body: '{}',
  });
  const body = (await response.json()) as { credentials?: Keys }; // our own
  if (body.credentials !== undefined) return body.credentials;
  throw new CodedError('not_made', `could not make workspace ${name}: ${JSON.stringify(body)}`);
}

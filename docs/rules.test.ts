/**
 * The examples of rules.md as they stand there: each definition is stored through the gateway's own route, which has to
 * take it, and each row of a table is given to the trigger, whose answer has to be the row's last cell.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { assert } from '../services/runtime/errors.ts';
import { appAuth, testServer, type TestServer } from '../services/testing/gateway-server.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  Trigger,
  happened,
  identified,
  lines,
} from '../services/testing/scenarios/trigger-scenario.ts';

const page = readFileSync(new URL('./rules.md', import.meta.url), 'utf8');
const midnight = Date.UTC(2026, 0, 5);

type Step = PutStep | RowStep;
interface PutStep {
  readonly type: 'put';
  readonly kind: 'segment' | 'journey';
  readonly id: string;
  readonly body: object;
}
interface RowStep {
  readonly type: 'row';
  readonly at: number;
  readonly who: string;
  readonly does: string;
  readonly expected: readonly string[];
}

/** Definitions and rows of an example, in the order in which they stand. */
function stepsOf(text: string): readonly Step[] {
  const parts = text.matchAll(/^```json put (segment|journey)s\/(\S+)\n(.*?)^```|^\| (day [^\n]*)\|$/gms);
  return [...parts].map(([, kind, id = '', body = '', row]): Step => {
    if (row === undefined) {
      return {
        type: 'put',
        kind: kind === 'segment' ? 'segment' : 'journey',
        id,
        body: JSON.parse(body) as object,
      };
    }
    const [when = '', who = '', does = '', expected = ''] = row.split('|').map((cell) => cell.trim());
    const [, day, hour, minute] = /^day (\d+), (\d\d):(\d\d)$/.exec(when) ?? [];
    assert(day !== undefined, `${when} is a time`);
    const at = midnight + (Number(day) - 1) * DAY + Number(hour) * HOUR + Number(minute) * MINUTE;
    return { type: 'row', at, who, does, expected: expected === '' ? [] : expected.split(', ') };
  });
}

const examples = page
  .split(/^### /m)
  .slice(1)
  .map((text) => ({ title: text.split('\n')[0] ?? '', steps: stepsOf(text) }));

/** ann of cio_ann; of the last definition, whichever that is. */
class Told {
  readonly #trigger = new Trigger();
  readonly #in = new Set<string>();
  #last: PutStep | undefined;

  put(step: PutStep): void {
    if (this.#last?.id !== step.id) this.#in.clear();
    this.#last = step;
    this.#trigger.harness.define(step.kind, 'default', step.id, step.body);
  }

  /** Who is in the segment then, or for whom the journey starts. */
  row({ at, who, does }: RowStep): readonly string[] {
    const said = who === '' ? this.#trigger.until(at) : lines(this.#trigger.feed(recordOf(who, does, at)));
    const last = this.#last;
    assert(last !== undefined, 'a definition stands before its rows');
    const starts: string[] = [];
    for (const line of said) {
      const [, name = '', change, id] = /^cio_(\S+) (entered|left|starts) (\S+)/.exec(line) ?? [];
      if (id !== last.id) continue;
      if (change === 'entered') this.#in.add(name);
      else if (change === 'left') this.#in.delete(name);
      else starts.push(name);
    }
    return last.kind === 'journey' ? starts : [...this.#in].sort();
  }
}

function recordOf(who: string, does: string, at: number) {
  const [, kind, name, , json] = /^(event|page|identify)(?: `([^`{]+)`)?( `(\{.*\})`)?$/.exec(does) ?? [];
  assert(kind !== undefined, `${does} is something that a person does`);
  const what = {
    person: `cio_${who}`,
    at,
    properties: json === undefined ? null : (JSON.parse(json) as object),
  };
  if (kind === 'identify') return identified(what);
  return happened({ ...what, type: kind === 'page' ? 'page' : 'event', ...(name !== undefined && { name }) });
}

let gateway: TestServer;
beforeAll(() => {
  gateway = testServer({});
});
afterAll(() => gateway.server.close());

test('the page has twelve examples, each with definitions and rows of which some let somebody in', () => {
  expect(examples.map(({ title }) => Number(title.split('.')[0]))).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
  ]);
  for (const { title, steps } of examples) {
    const full = steps.some((step) => step.type === 'row' && step.expected.length > 0);
    expect([title, full, steps[0]?.type]).toEqual([title, true, 'put']);
  }
});

test.each(examples)('$title', async ({ steps }) => {
  const told = new Told();
  for (const step of steps) {
    if (step.type === 'row') {
      expect({ ...step, found: told.row(step) }).toEqual({ ...step, found: step.expected });
      continue;
    }
    const answer = await gateway.server.inject({
      method: 'PUT',
      url: `/v1/definitions/${step.kind}s/${step.id}`,
      payload: step.body,
      headers: { authorization: appAuth },
    });
    expect({ id: step.id, body: answer.json<object>() }).toMatchObject({ body: { definition: step.body } });
    told.put(step);
  }
});

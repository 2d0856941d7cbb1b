/** Definitions and settings whose patterns ask for too much are refused with what to do, before anything is compiled. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import {
  definitionBytesMax,
  definitionPatternInstructionsMax,
  patternInstructionsMax,
  workspaceDefinitionBytesMax,
  workspacePatternInstructionsMax,
} from '../../schemas/http/limits.ts';
import { measuredPatterns } from '../runtime/stored-patterns.ts';
import { appAuth, testServer, workspace, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer({});
});
afterEach(() => under.server.close());

const app = (options: InjectOptions) =>
  under.server.inject({ ...options, headers: { authorization: appAuth, ...options.headers } });
const put = (id: string, payload: object) =>
  app({ method: 'PUT', url: `/v1/definitions/segments/${id}`, payload });
const segment = (patterns: readonly string[]) => ({
  name: 'x',
  type: 'data_driven',
  when: {
    any: patterns.map((value) => ({ attribute: 'plan', operator: 'matches', value })),
  },
});
const errorsOf = (answer: { json: () => unknown }) =>
  (answer.json() as { errors: { pointer: string; code: string; message: string }[] }).errors;
/** Nearly a whole pattern's worth, each another. */
const large = (index: number) => `k${String(index)}.{${String(patternInstructionsMax - 20)}}`;

describe('security 5: what a PUT may ask for', () => {
  test("the issue's segment is 413 by its bytes, and no smaller one of its kind is taken", async () => {
    const tests = Array.from({ length: 20 }, () => ({
      property: 'p',
      operator: 'matches',
      value: '.{1000}'.repeat(20),
    }));
    const nodes = (count: number) => ({
      name: 'x',
      type: 'data_driven',
      when: { any: Array.from({ length: count }, () => ({ event: 'e', where: tests })) },
    });
    const whole = await put('a', nodes(190));
    expect(whole.statusCode).toBe(413);
    expect(errorsOf(whole)).toMatchObject([{ pointer: '', code: 'body_too_large' }]);
    const part = await put('a', nodes(15));
    expect(part.statusCode).toBe(400);
    expect(errorsOf(part)[0]).toMatchObject({
      pointer: '/when/any/0/where/0/value',
      code: 'pattern_too_large',
      message: expect.stringContaining('repeat less often'),
    });
  });

  test("the issue's guards are refused one by one", async () => {
    const payload = { guards: { illegal_patterns: Array.from({ length: 100 }, () => '.{1000}'.repeat(70)) } };
    const answer = await app({ method: 'PUT', url: '/v1/workspaces/shop', payload });
    expect(answer.statusCode).toBe(400);
    expect(errorsOf(answer)).toHaveLength(100);
    expect(errorsOf(answer)[99]).toMatchObject({
      pointer: '/guards/illegal_patterns/99',
      code: 'pattern_too_large',
    });
  });

  test('a definition has so many instructions in sum, at the pointer of the first that is too many', async () => {
    const fits = Math.floor(definitionPatternInstructionsMax / (patternInstructionsMax - 10));
    const patterns = Array.from({ length: fits + 1 }, (_, index) => large(index));
    expect((await put('a', segment(patterns.slice(0, fits)))).statusCode).toBe(200);
    const answer = await put('a', segment(patterns));
    expect(answer.statusCode).toBe(400);
    expect(errorsOf(answer)).toMatchObject([
      {
        pointer: `/when/any/${String(fits)}/value`,
        code: 'patterns_too_large',
        message: expect.stringContaining('starts_with'),
      },
    ]);
    const guards = { illegal_patterns: patterns };
    const settings = await app({ method: 'PUT', url: '/v1/workspaces/shop', payload: { guards } });
    expect(errorsOf(settings)).toMatchObject([
      { pointer: `/guards/illegal_patterns/${String(fits)}`, code: 'patterns_too_large' },
    ]);
  });

  test('a workspace has so many in sum, also when PUTs come at once; a smaller body is always taken', async () => {
    const body = segment([large(1), large(2), large(3)]);
    const { instructions } = measuredPatterns(body);
    const fits = Math.floor(workspacePatternInstructionsMax / instructions);
    const answers = await Promise.all(
      Array.from({ length: fits + 3 }, (_, index) => put(`s${String(index)}`, body)),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([
      ...Array.from({ length: fits }, () => 200),
      ...[400, 400, 400],
    ]);
    const refused = answers[fits];
    if (refused === undefined) throw new Error('there are three more');
    expect(errorsOf(refused)).toMatchObject([
      { pointer: '', code: 'patterns_too_large', message: expect.stringContaining('delete definitions') },
    ]);
    const guards = { illegal_patterns: [large(1), large(2), large(3)] };
    const settings = await app({ method: 'PUT', url: '/v1/workspaces/shop', payload: { guards } });
    expect(errorsOf(settings)).toMatchObject([{ pointer: '', code: 'patterns_too_large' }]);
    expect((await put('s0', body)).statusCode).toBe(200);
    expect((await put('s0', segment(['^a']))).statusCode).toBe(200);
  });

  test('definitions of a workspace have so many bytes together; a smaller one is always taken', async () => {
    const large = (letter: string) => ({
      name: 'x',
      type: 'data_driven',
      when: { attribute: 'a', operator: 'in', value: Array.from({ length: 60 }, () => letter.repeat(1_000)) },
    });
    let taken = 0;
    for (; taken < 200; taken += 1) {
      const answer = await put(`large-${String(taken)}`, large('a'));
      if (answer.statusCode === 200) continue;
      expect(errorsOf(answer)).toMatchObject([{ pointer: '', code: 'limit_exceeded' }]);
      break;
    }
    const bytes = JSON.stringify(large('a')).length;
    expect(taken).toBe(Math.floor(workspaceDefinitionBytesMax / bytes));
    expect((await put('large-0', large('b'))).statusCode).toBe(200);
    expect((await put('large-1', segment(['^a']))).statusCode).toBe(200);
    expect((await put('large-2', large('c'))).statusCode).toBe(200);
  });

  test('a body has at most so many bytes, to the byte', async () => {
    const body = (bytes: number) => {
      const text = JSON.stringify({ name: 'x', type: 'manual' });
      return text + ' '.repeat(bytes - text.length);
    };
    const send = (payload: string) =>
      app({
        method: 'PUT',
        url: '/v1/definitions/segments/m',
        payload,
        headers: { 'content-type': 'application/json' },
      });
    expect((await send(body(definitionBytesMax))).statusCode).toBe(200);
    expect((await send(body(definitionBytesMax + 1))).statusCode).toBe(413);
  });

  test('what was stored before a bound shows its faults, and is shown', async () => {
    const old = segment(['.{1000}'.repeat(20), '^a']);
    const guards = { illegal_patterns: ['^a', '.{1000}'.repeat(70)] };
    await under.definitions.put('segment', workspace, 'old', { body: old });
    await under.definitions.put('workspace', workspace, workspace, { body: { guards } });
    expect((await app({ method: 'GET', url: '/v1/definitions/segments/old' })).json()).toMatchObject({
      definition: old,
      faults: [{ pointer: '/when/any/0/value', code: 'pattern_too_large' }],
    });
    expect((await app({ method: 'GET', url: '/v1/workspaces/shop' })).json()).toMatchObject({
      settings: { guards },
      faults: [{ pointer: '/guards/illegal_patterns/1', code: 'pattern_too_large' }],
    });
    await put('new', segment(['^a']));
    expect((await app({ method: 'GET', url: '/v1/definitions/segments/new' })).json()).not.toHaveProperty(
      'faults',
    );
  });
});

/** What the read-only account cannot reach on the real engine, however it is spelled, and that it starves nobody. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { analystViews } from '../../../services/sink/schema/dictionary/views.ts';
import { eventually } from '../../../services/testing/eventually.ts';
import { freePort, startEngineProcess, type EngineProcess } from './engine-process.ts';
import { limits } from './limits.ts';
import { quoteString } from './quote.ts';
import { readReaderFunctions } from './reader-functions.ts';
import { runs } from '../../../services/testing/runs.ts';

const SECRET = 'the-secret-of-the-owner';
let folder: string;
let engine: EngineProcess;
let listener: Server;
let outside: string;
let reached = 0;

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(body: string, who: 'owner' | 'reader', query = '', signal?: AbortSignal): Promise<Answer> {
  const account =
    who === 'owner' ? [engine.username, engine.password] : [engine.reader, engine.readerPassword];
  const answer = await fetch(
    `${engine.url}/?${query.includes('database=') ? query : `database=shop&${query}`}`,
    {
      method: 'POST',
      body,
      headers: { authorization: `Basic ${Buffer.from(account.join(':')).toString('base64')}` },
      ...(signal && { signal }),
    },
  );
  return { status: answer.status, text: await answer.text() };
}
const owner = async (sql: string): Promise<string> => {
  const { status, text } = await ask(sql, 'owner');
  if (status !== 200) throw new Error(text);
  return text.trim();
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hindsight-reader-'));
  writeFileSync(join(folder, 'credentials.json'), SECRET);
  listener = createServer((_, response) => {
    reached += 1;
    response.end(`{"a":"${SECRET}"}\n`);
  });
  const port = await freePort();
  listener.listen(port, '127.0.0.1');
  outside = `http://127.0.0.1:${String(port)}/x`;
  engine = await startEngineProcess({ folder: join(folder, 'data'), port: await freePort() });
  for (const database of ['shop', 'other']) {
    await ask(`CREATE DATABASE ${database}`, 'owner', 'database=default');
    await owner(`CREATE TABLE ${database}.notes (a String) ENGINE = MergeTree ORDER BY a`);
    await owner(`INSERT INTO ${database}.notes VALUES ('${database === 'shop' ? 'open' : SECRET}')`);
  }
  await owner('CREATE VIEW shop.notes_of AS SELECT a FROM shop.notes WHERE a = {name:String}');
  await owner('CREATE TABLE shop.numbers (n UInt64) ENGINE = MergeTree ORDER BY n');
});
afterAll(async () => {
  await engine.kill();
  listener.close();
  await rm(folder, { recursive: true, force: true });
});

/** Nothing was read, fetched or written, whatever the answer says. */
function expectNothingReached(answer: Answer, sql: string): void {
  expect([sql, answer.text.includes(SECRET)]).toEqual([sql, false]);
  expect([sql, reached]).toEqual([sql, 0]);
  expect([sql, readdirSync(folder).sort()]).toEqual([sql, ['credentials.json', 'data']]);
}
const filled = (sql: string): string =>
  sql
    .replaceAll('SECRETS', join(folder, 'credentials.json'))
    .replaceAll('OUT', join(folder, 'out.txt'))
    .replaceAll('URL', outside);

describe('a reader', () => {
  test.each([
    ["SELECT 1 AS a$$, file('SECRETS') AS b, 2 AS c$$"],
    ["SELECT 1 AS a$$ , 2 INTO OUTFILE 'OUT' -- $$"],
    ["SELECT `\\x66ile`('SECRETS')"],
    ["DESCRIBE TABLE `\\x75rl`('URL','JSONEachRow')"],
    ["SELECT 1 AS x$y$, file('SECRETS') AS b, 2 AS c$y$"],
    ["SELECT * FROM `\\x75\\x72l`('URL','JSONEachRow')"],
    ['SELECT "fil\\x65"(\'SECRETS\')'],
    ["SELECT arrayMap(`\\x66ile`, ['SECRETS'])"],
    ["SELECT “file”('SECRETS')"],
    ["SELECT * FROM `\\x66ile`('SECRETS', 'LineAsString')"],
    ['SELECT * FROM default.`SECRETS`'],
    ['SELECT * FROM {d:Identifier}.{t:Identifier}', 'param_d=default&param_t=SECRETS'],
    ["SELECT arrayMap({f:Identifier}, ['SECRETS'])", 'param_f=file'],
    ["SELECT arrayMap({f:Identifier}, ['SECRETS'])", 'param_f=%5Cx66ile'],
    ['SELECT * FROM other.notes'],
    ['SELECT * FROM notes', 'database=other'],
    ['SELECT * FROM {t:Identifier}', 'param_t=other.notes'],
    ["SELECT * FROM merge('other', '.*')"],
    ['WITH (SELECT groupArray(a) FROM other.notes) AS x SELECT x'],
    ['SELECT 1 IN other.notes'],
    ["EXPLAIN SELECT * FROM url('URL','JSONEachRow')"],
    ["EXPLAIN AST INSERT INTO FUNCTION url('URL','JSONEachRow') SELECT 1"],
    ['SELECT query FROM system.processes'],
    ['SELECT query FROM `syst\\x65m`.processes'],
    ['SELECT query FROM processes', 'database=system'],
    ['SELECT 1 FORMAT Template', 'format_template_row=SECRETS'],
    ['SELECT 1', 'default_format=Template'],
    ["SELECT 1 PARALLEL WITH INSERT INTO shop.notes SELECT 'x'"],
    ['SET ROLE owner'],
    ['SELECT 1', 'role=owner&roles=owner'],
    ["SELECT '\\xff'"],
    ['SELECT 1; SELECT 2'],
    ['SHOW GRANTS'],
    ['SHOW PROCESSLIST'],
    ['SELECT 1 --', 'query=SELECT+1+INTO+OUTFILE+%27OUT%27'],
  ])('reaches nothing by %s %s', async (sql, query = '') => {
    const text = filled(sql);
    expectNothingReached(await ask(text, 'reader', filled(query)), text);
    expect(await owner('SELECT count() FROM shop.notes')).toBe('1');
  });

  test('reaches nothing in any spelling of what is refused', async () => {
    const forms = [
      ['SELECT ', ['f', 'file'], "('SECRETS')"],
      ['SELECT * FROM ', ['f', 'file'], "('SECRETS', 'LineAsString')"],
      ['SELECT * FROM ', ['f', 'url'], "('URL', 'JSONEachRow')"],
      ['DESCRIBE TABLE ', ['f', 'url'], "('URL', 'JSONEachRow')"],
      ['SELECT arrayMap(', ['f', 'file'], ", ['SECRETS'])"],
      ['SELECT * APPLY(', ['f', 'file'], ") FROM (SELECT 'SECRETS' AS x)"],
      ['SELECT 1 ', ['k', 'INTO'], ' ', ['k', 'OUTFILE'], " 'OUT'"],
      ['SELECT a FROM ', ['f', 'other'], '.', ['f', 'notes']],
      ['SELECT query FROM ', ['f', 'system'], '.', ['f', 'processes']],
      ['', ['k', 'KILL'], ' ', ['k', 'QUERY'], ' WHERE 1'],
      ['', ['k', 'INSERT'], ' ', ['k', 'INTO'], " notes SELECT 'x'"],
    ] as const;
    const spelling = fc.record({
      form: fc.constantFrom(...forms),
      quote: fc.constantFrom('', '`', '"', '“'),
      upper: fc.infiniteStream(fc.boolean()),
      escape: fc.infiniteStream(fc.constantFrom('', '', 'x', 'u')),
      space: fc.infiniteStream(
        fc.constantFrom(
          ' ',
          '\n',
          '\t',
          ' /* x */ ',
          ' -- x\n',
          ' #! x\n',
          '\u00a0',
          ' /* -- */\n',
          '\f',
          '\u3000',
        ),
      ),
      around: fc.constantFrom(
        ['', ''],
        ['SELECT 1 AS a$$, (', ') AS c, 2 AS c$$'],
        ["SELECT '$$', (", ') -- $$'],
        ['/* $x$ */ ', ' /* $x$ */'],
        ['EXPLAIN ', ''],
        ['WITH y AS (', ') SELECT * FROM y'],
        ['(', ')'],
        ['SELECT * FROM (', ')'],
      ),
    });
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(spelling, async ({ form, quote, upper, escape, space, around }) => {
        const next = <T>(stream: Iterator<T>, otherwise: T): T => {
          const step = stream.next();
          return step.done === true ? otherwise : step.value;
        };
        const spelled = ([kind, name]: readonly ['f' | 'k', string]): string => {
          const raise = kind === 'k' || quote === '';
          const letters = name.split('').map((letter) => {
            const code = letter.charCodeAt(0).toString(16).padStart(2, '0');
            const how = next(escape, '');
            if (kind === 'f' && (quote === '`' || quote === '"')) {
              if (how === 'x') return `\\x${code}`;
              if (how === 'u') return `\\${letter}`.replace(/\\[abefnrtvx0N]/, letter);
            }
            return raise && kind === 'k' && next(upper, false) ? letter.toLowerCase() : letter;
          });
          const close = quote === '“' ? '”' : quote;
          return kind === 'f' ? quote + letters.join('') + close : letters.join('');
        };
        const text = form
          .map((part) =>
            typeof part === 'string' ? part.replaceAll(' ', () => next(space, ' ')) : spelled(part),
          )
          .join('');
        const sql = filled(around[0] + text + around[1]);
        const answer = await ask(sql, 'reader');
        expectNothingReached(answer, sql);
        expect([sql, answer.status >= 400]).toEqual([sql, true]);
        ran += 1;
      }),
      { numRuns: runs(120) },
    );
    expect(ran).toBe(runs(120));
    expect(await owner('SELECT count() FROM shop.notes')).toBe('1');
  });

  test.each([
    ['SELECT a FROM notes', 'open'],
    ['select/* x */a from `notes` -- y', 'open'],
    ['SELECT a FROM shop.notes;', 'open'],
    ["SELECT a FROM notes_of(name = 'open')", 'open'],
    ["SELECT a FROM shop.notes_of(name = 'open')", 'open'],
    ['SELECT sumIf(number, number > 1) AS `a$$` FROM numbers(4)', '5'],
    ["SELECT 'it''s $$ -- \\\\ file(1)'", "it\\'s $$ -- \\\\ file(1)"],
    ['SELECT sum(x) FROM view(SELECT 1 AS x UNION ALL SELECT 2)', '3'],
    ["SELECT * FROM values('x UInt8', 1, 2) FORMAT CSV", '1\n2'],
    ['SELECT 1 AS format FORMAT JSONEachRow', '{"format":1}'],
    ["SHOW TABLES LIKE 'note%'", 'notes\nnotes_of'],
    ["SHOW SETTINGS LIKE 'readonly'", 'readonly\tUInt64\t1'],
    ["SELECT DISTINCT database FROM system.tables WHERE database IN ('shop', 'other')", 'shop'],
    ['EXISTS TABLE notes', '1'],
    ["SELECT value FROM system.settings WHERE name = 'readonly' LIMIT 1", '1'],
  ])('is answered %s', async (sql, answer) => {
    const got = await ask(sql, 'reader');
    expect(got.text.trim()).toBe(answer);
  });

  test('is told what it did wrong in its own words', async () => {
    const { status, text } = await ask('SELEC 1', 'reader');
    expect([status, text]).toEqual([400, expect.stringMatching(/^Code: 62\..*SELEC.*\(SYNTAX_ERROR\)\n$/s)]);
    expect(text).not.toContain('formatQuery');
  });

  test('has a text of a bounded length, and no room in the spool', async () => {
    const long = `SELECT '${'x'.repeat(limits.readerStatementBytesMax)}'`;
    expect((await ask(long, 'reader')).status).toBe(413);
    expect((await ask('INSERT INTO notes FORMAT TSV\nx\n', 'reader')).status).toBe(403);
  });

  test.each([
    ['max_threads', '64'],
    ['max_memory_usage', '0'],
    ['max_execution_time', '0'],
    ['max_execution_time', '1200'],
    ['max_execution_time', '1e9'],
    ['max_block_size', '100000000'],
  ])('gets its share and no more, whatever it asks for: %s=%s', async (name, value) => {
    const inForce = `SELECT value FROM system.settings WHERE name = '${name}'`;
    const share = (await ask(inForce, 'reader')).text;
    expect(share).toMatch(/^[1-9][0-9]*\n$/);
    expect((await ask(inForce, 'reader', `${name}=${value}`)).text).toBe(share);
    expect((await ask(inForce, 'reader', `${name}=1`)).text).toBe('1\n');
    expect((await ask('SELECT 1', 'reader', `${name}=more`)).text).toContain('Code: 452');
  });

  test.each(['max_temporary_data_on_disk_size_for_query', 'max_query_size', 'priority', 'allow_ddl'])(
    'may not set %s',
    async (name) => {
      expect((await ask('SELECT 1', 'reader', `${name}=${name === 'allow_ddl' ? '0' : '1'}`)).status).toBe(
        403,
      );
    },
  );

  test.each([
    'async_insert=0',
    'async_insert=1',
    'use_query_cache=0',
    'wait_end_of_query=1',
    'insert_quorum=2',
  ])('may send %s, as drivers do with each statement', async (setting) => {
    expect((await ask('SELECT 1', 'reader', setting)).text).toBe('1\n');
  });

  test('may send any setting with the value that it has', async () => {
    for (const setting of ['max_rows_to_read=0', 'allow_ddl=1', 'allow_ddl=true', 'priority=0'])
      expect([setting, (await ask('SELECT 1', 'reader', setting)).text]).toEqual([setting, '1\n']);
  });

  test.each([
    ['SELECT currentUser(), user()', '["currentUser()","user()"]', '["analyst","analyst"]'],
    ['SELECT currentUser() AS user, version() = version() AS v', '["user","v"]', '["analyst",true]'],
    ["SELECT concat('x', hostName()) AS h", '["h"]', '["xhindsight"]'],
    ["SELECT count() AS n FROM notes WHERE currentUser() = 'default'", '["n"]', '[0]'],
  ])('is told its own name, and none of the machine: %s', async (sql, names, values) => {
    const { text } = await ask(`${sql} FORMAT JSONCompactEachRowWithNames`, 'reader');
    expect(JSON.parse(`[${text.trim().replaceAll('\n', ',').replaceAll(':1', '')}]`)).toEqual([
      JSON.parse(names),
      JSON.parse(values.replace('true', '1')),
    ]);
    expect(await owner('SELECT currentUser()')).toBe(engine.username);
  });

  test('is named in its errors', async () => {
    const { status, text } = await ask('SELECT * FROM other.notes', 'reader');
    expect([status, text]).toEqual([
      403,
      expect.stringMatching(/DB::Exception: analyst: Not enough privileges/),
    ]);
    expect(text).not.toContain('default');
  });

  test('is told that it only reads before how a body is packed', async () => {
    const account = Buffer.from(`${engine.reader}:${engine.readerPassword}`).toString('base64');
    for (const query of ['', '?query=INSERT+INTO+shop.notes+FORMAT+Native']) {
      const answer = await fetch(`${engine.url}/${query}`, {
        method: 'POST',
        body: 'x',
        headers: { authorization: `Basic ${account}`, 'content-encoding': 'lz4' },
      });
      expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('readonly mode')]);
    }
  });
});

test('each function of the engine has been looked at, and those that are listed exist', async () => {
  const { allowed, refused } = readReaderFunctions();
  const functions = (await owner("SELECT name FROM system.functions WHERE origin = 'System'")).split('\n');
  const tables = (await owner('SELECT name FROM system.table_functions')).split('\n');
  const listed = new Set([...allowed, ...refused]);
  expect(functions.filter((name) => !listed.has(name))).toEqual([]);
  expect([...listed].filter((name) => !functions.includes(name) && !tables.includes(name))).toEqual([]);
  expect(allowed.filter((name) => refused.includes(name))).toEqual([]);
});

test('the statements for an account on a server of one’s own are statements', async () => {
  const page = readFileSync(new URL('../../../docs/clickhouse-cluster.md', import.meta.url), 'utf8');
  const statements = (/```sql\n(.*?)```/s.exec(page)?.[1] ?? '').split(';\n').filter((each) => each !== '');
  expect(statements).toHaveLength(6);
  for (const each of statements) {
    expect(await owner(`SELECT formatQuerySingleLine(${quoteString(each)})`)).toMatch(/^(CREATE|GRANT) /);
  }
  const granted = [...(statements[2] ?? '').matchAll(/ON hindsight\.(\w+)/g)].map(([, name]) => name);
  expect(granted.sort()).toEqual(analystViews.map(({ name }) => name).sort());
});

describe('three heavy questions of an analyst', () => {
  const SECONDS = 4;
  const HEAVY = {
    'a cross join':
      'SELECT count() FROM numbers(10000000) AS a CROSS JOIN numbers(10000000) AS b WHERE sin(a.number * b.number) > 2',
    'a sort without limit':
      'SELECT number, repeat(toString(number), 20) AS text FROM numbers(300000000) ORDER BY text DESC',
    'a pattern over everything':
      "SELECT countIf(match(repeat(toString(number), 60), '(1|2|[3-9]+)*x$')) FROM numbers(1000000000)",
  } as const;
  /** What ClickHouse says of time, memory, room on disk and size. */
  const LIMITS =
    /Code: (159|241|243|307|396)\. .*(TIMEOUT_EXCEEDED|MEMORY_LIMIT_EXCEEDED|NOT_ENOUGH_SPACE|TOO_MANY)/s;

  test('end by their limits and are told so; rows that are written and asked for meanwhile go on', async () => {
    await owner('CREATE TABLE shop.written (n UInt64) ENGINE = MergeTree ORDER BY n');
    const ended: string[] = [];
    const asked = Object.entries(HEAVY).map(async ([name, sql]) => {
      const { text } = await ask(sql, 'reader', `max_execution_time=${String(SECONDS)}`);
      ended.push(name);
      return [name, LIMITS.test(text.slice(-2_000))];
    });
    const running = "SELECT count() FROM system.processes WHERE Settings['readonly'] = '1'";
    await eventually(async () => Number(await owner(running)) === limits.readersRunningMax);
    for (let n = 0; n < 10; n++) await owner(`INSERT INTO shop.written VALUES (${String(n)})`);
    expect(await owner('SELECT count() FROM shop.written')).toBe('10');
    expect(ended).toEqual([]);
    expect(await Promise.all(asked)).toEqual(Object.keys(HEAVY).map((name) => [name, true]));
    expect((await ask('SELECT 1', 'reader')).text).toBe('1\n');
  });
});

describe('sixteen heavy queries of readers', () => {
  const HEAVY = 'SELECT sum(sin(number)) FROM numbers_mt(1000000000000)';
  const running = async (): Promise<number> =>
    Number(
      await owner(
        "SELECT count() FROM system.processes WHERE query LIKE '%sum(sin(number))%' AND query NOT LIKE '%processes%'",
      ),
    );

  test('leave the owner its inserts and questions, and end with their clients', async () => {
    const stop = new AbortController();
    let ended = 0;
    const heavy = Array.from({ length: 16 }, () =>
      ask(HEAVY, 'reader', '', stop.signal).finally(() => {
        ended += 1;
      }),
    );
    const outcomes = Promise.allSettled(heavy);
    await eventually(async () => (await running()) === limits.readersRunningMax);
    for (let n = 0; n < 20; n++) await owner(`INSERT INTO shop.numbers VALUES (${String(n)})`);
    expect(await owner('SELECT count() FROM shop.numbers')).toBe('20');
    // All of that while they ran: none has ended, and never more than their places are taken.
    expect([ended, await running()]).toEqual([0, limits.readersRunningMax]);
    stop.abort();
    await outcomes;
    await eventually(async () => (await running()) === 0);
    expect((await ask('SELECT 1', 'reader')).text).toBe('1\n');
  });

  test('beyond the queue are told to come later', async () => {
    const stop = new AbortController();
    const places = limits.readersRunningMax + limits.readersWaitingMax;
    const outcomes = Promise.allSettled(
      Array.from({ length: places }, () => ask(HEAVY, 'reader', '', stop.signal)),
    );
    await eventually(async () => (await running()) === limits.readersRunningMax);
    await eventually(async () => {
      const more = new AbortController();
      const answer = await Promise.race([ask('SELECT 1', 'reader', '', more.signal), sleep(200, undefined)]);
      more.abort();
      return (
        answer?.status === 503 && answer.text.includes('Code: 202') && answer.text.includes('Send it again')
      );
    });
    stop.abort();
    await outcomes;
    await eventually(async () => (await ask('SELECT 1', 'reader')).status === 200);
  });
});

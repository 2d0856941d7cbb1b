/** `npm run tail`: what the running installation's door sees, a line for each call, until Ctrl-C (GET /v1/live). */
import { parseArgs } from 'node:util';
import { CodedError } from '../services/runtime/errors.ts';
import { printable } from '../services/runtime/printable.ts';
import { findAppTarget, workspaceOfKey } from './reach/app-target.ts';
import { runCommand } from './reach/run-command.ts';

const HELP = `npm run tail -- [options]
  --workspace W   whose calls (that of HINDSIGHT_APP_KEY, else default)
  --key ID        of one key, such as key_0123456789abcdef (GET /v1/keys)
  --visitor A     with this anonymous id
  --person P      with this id, email or cio_id, as it is sent
  --answered A    ok, corrected, dropped, limited or retry
  --json          as they come, for programs
  --url URL       the installation (what endpoints.json in HINDSIGHT_DATA says)
The app key is HINDSIGHT_APP_KEY, else the workspace's in credentials.json in HINDSIGHT_DATA.
`;
const filters = ['key', 'visitor', 'person', 'answered'] as const;
/** Of one event of the stream; a call is told in a few kB. */
const blockCharsMax = 65_536;
const partCharsMax = 400;

const { values } = parseArgs({
  options: {
    workspace: { type: 'string' },
    key: { type: 'string' },
    visitor: { type: 'string' },
    person: { type: 'string' },
    answered: { type: 'string' },
    json: { type: 'boolean', default: false },
    url: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const target = findAppTarget(values.workspace ?? 'default', values.url);
  await workspaceOfKey(target, values.workspace);
  const { url, appKey } = target;
  const query = new URLSearchParams();
  for (const name of filters) {
    const wanted = values[name];
    if (wanted !== undefined) query.set(name, wanted);
  }
  const response = await fetch(`${url}/v1/live?${query.toString()}`, {
    headers: { authorization: `Bearer ${appKey}` },
  });
  if (!response.ok || response.body === null) {
    throw new CodedError(
      'live_refused',
      `could not read along (${String(response.status)}): ${await response.text()}`,
    );
  }
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    const blocks = (text + decoder.decode(chunk, { stream: true })).split('\n\n');
    text = (blocks.pop() ?? '').slice(0, blockCharsMax);
    for (const block of blocks) tell(block);
  }
}

function tell(block: string): void {
  const [, kind, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
  if (kind === undefined || data === undefined) return; // a sign of life
  if (values.json) process.stdout.write(`${data}\n`);
  else if (kind === 'call') process.stdout.write(`${lineOf(JSON.parse(data) as Call)}\n`);
  else process.stdout.write(`-- ${kind} ${data}\n`);
}

/** As GET /v1/live tells it. */
interface Call {
  readonly at: string;
  readonly status: number;
  readonly answered: string;
  readonly route: string;
  readonly reason: string | null;
  readonly message: string | null;
  readonly type: string | null;
  readonly name: string | null;
  readonly anonymous_id: string | null;
  readonly identifier: string | null;
}

function lineOf(call: Call): string {
  const who = [call.anonymous_id, call.identifier].filter((each) => each !== null).join(' = ');
  const why = [call.reason, call.message].filter((each) => each !== null && each !== '').join(': ');
  const parts = [
    call.at.slice(11, 23),
    call.answered.padEnd(9),
    String(call.status),
    call.route,
    call.type,
    call.name,
  ];
  return [...parts, who, why === '' ? '' : `(${why})`]
    .filter((part) => part !== null && part !== '')
    .map((part) => printable(part ?? '', partCharsMax))
    .join('  ');
}

await runCommand(main);

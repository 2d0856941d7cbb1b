/** What may meet a command: sample, apply, chaos, bench. */
import { BUG, type ErrorEntry } from './entry.ts';

export const commandsErrors = {
  backup_given_up: {
    means:
      'A copy of one moment could not be made in the time given; what runs goes on, and no copy is left.',
    follows: 'ends',
    todo: 'Give the command again, or stop the installation first.',
  },
  backup_refused: {
    means: 'A backup cannot be made here, or not now.',
    follows: 'ends',
    todo: 'The message says why. How else it is done: docs/operate.md.',
  },
  bench_failed: {
    means: 'A bench could not run to its end.',
    follows: 'ends',
    todo: 'The message says what it waited for.',
  },
  peer_failed: {
    means: 'The program that a bench compares with failed.',
    follows: 'ends',
    todo: 'The message has its output.',
  },
  call_lost: {
    means: 'A call was never acknowledged.',
    follows: 'ends',
    todo: 'The services’ logs say why.',
  },
  call_refused: { means: 'A call was refused.', follows: 'again', todo: 'The message has the answer.' },
  no_story: { means: 'The visitor of the story is never identified.', follows: 'ends', todo: BUG },
  tool_missing: {
    means: 'A program that a command needs is not on this machine.',
    follows: 'ends',
    todo: 'The message names it and how to install it.',
  },
  not_found: {
    means: 'No installation is in the folder.',
    follows: 'ends',
    todo: 'Start it with npm start, or give --url and HINDSIGHT_APP_KEY.',
  },
  not_running: {
    means: 'No installation runs on the folder.',
    follows: 'ends',
    todo: 'Run `npm start` first (in another terminal), or set HINDSIGHT_DATA to the folder that it uses.',
  },
  not_settled: {
    means: 'What was sent is not through after the time given.',
    follows: 'ends',
    todo: 'GET /health/settled says which step still has work.',
  },
  not_started: {
    means: 'An installation did not start.',
    follows: 'ends',
    todo: 'The message has what it printed.',
  },
  app_refused: {
    means: 'The gateway lets nobody in with the app key.',
    follows: 'ends',
    todo: 'Is HINDSIGHT_APP_KEY a key of kind app that is still good? The message has the answer.',
  },
  live_refused: {
    means: 'The gateway did not open the live view.',
    follows: 'ends',
    todo: 'The message has the answer.',
  },
  not_made: { means: 'A workspace could not be made.', follows: 'ends', todo: 'The message has the answer.' },
  nothing_to_apply: {
    means: 'The folder holds no definitions, or the file is in none that says what it is.',
    follows: 'ends',
    todo: 'Put them into segments/ID.json, journeys/ID.json and messages/ID.json of a folder.',
  },
  rule_not_in_force: {
    means: 'A definition of the sample is stored, but some task had not taken it up after five minutes.',
    follows: 'ends',
    todo: 'The message says which. Give the command again when GET /health/settled is 200.',
  },
  rule_refused: { means: 'A definition was refused.', follows: 'ends', todo: 'The message has its faults.' },
  story_incomplete: {
    means: 'The story did not come to its end in time.',
    follows: 'ends',
    todo: 'GET /health/settled says which step still has work.',
  },
  workspace_unknown: {
    means: 'The workspace has no keys here.',
    follows: 'ends',
    todo: 'Use --workspace sample or default; for one of your own set HINDSIGHT_APP_KEY to its app key, or create it with PUT /v1/workspaces/NAME and the admin key.',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;

/** Starting: settings, ports, parts. */
import { BUG, type ErrorEntry } from './entry.ts';

export const startingErrors = {
  config_invalid: {
    means: 'An address of a broker cannot be read.',
    follows: 'ends',
    todo: 'KAFKA_BROKERS is a list of host:port, separated by commas.',
  },
  settings_invalid: {
    means: 'Settings are missing or cannot be read.',
    follows: 'ends',
    todo: 'Set or correct the environment variables that the message names, and start again.',
  },
  tls_unreadable: {
    means: 'The certificate or its key cannot be read, or they do not belong together.',
    follows: 'ends',
    todo: 'HINDSIGHT_TLS_CERT and HINDSIGHT_TLS_KEY are PEM files that this user can read. While it runs the older pair stays in force.',
  },
  credentials_unreadable: {
    means: 'credentials.json cannot be read.',
    follows: 'ends',
    todo: 'Restore the file, or move it away to have new keys made.',
  },
  port_taken: {
    means: 'Another program listens on the port.',
    follows: 'ends',
    todo: 'Stop that program, or set HINDSIGHT_PORT to a free port.',
  },
  port_missing: { means: 'A server listens and has no port.', follows: 'ends', todo: BUG },
  no_port: { means: 'No port of 127.0.0.1 is free.', follows: 'ends', todo: 'Stop what holds them.' },
  status_server_failed: { means: 'A status server has no port.', follows: 'ends', todo: BUG },
  folder_taken: {
    means: 'Hindsight runs on this folder already.',
    follows: 'ends',
    todo: 'Stop that one, or set HINDSIGHT_DATA to another folder.',
  },
  folder_unusable: {
    means: 'A folder that a setting names cannot be made or written.',
    follows: 'ends',
    todo: 'Make it writable for this user, or set the variable that the message names to another folder.',
  },
  spool_in_use: {
    means: 'Another gateway keeps its spool in this folder.',
    follows: 'ends',
    todo: 'Give each gateway a HINDSIGHT_DATA of its own, or stop the other one.',
  },
  part_refused: {
    means: 'A part that was given refuses our user.',
    follows: 'ends',
    todo: 'Set CLICKHOUSE_USER and CLICKHOUSE_PASSWORD, or put them into CLICKHOUSE_URL.',
  },
  part_unreachable: {
    means: 'A part that was given does not answer.',
    follows: 'ends',
    todo: 'Start it, or correct the variable that the message names, or leave it unset to have one started here.',
  },
  process_failed: {
    means: 'A process could not be started, or ended.',
    follows: 'ends',
    todo: 'The message has the end of its log.',
  },
  download_failed: {
    means: 'Kafka or the schema registry could not be downloaded.',
    follows: 'ends',
    todo: 'Check the network, then start again: what is downloaded already is kept.',
  },
  service_running: {
    means: 'A command needs a service stopped, and it runs.',
    follows: 'ends',
    todo: 'Stop it everywhere first.',
  },
  tasks_invalid: {
    means: 'A service cannot have this number of tasks.',
    follows: 'ends',
    todo: 'It has at least one, and at most as many as partitions.',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;

/**
 * The devices of people (spec A.5), a fold of their events: of each token the newest event counts, by its own time, and one
 * that says that the device is gone takes it away. So a claim and a merge bring devices along as they do all that was done.
 */
import type { Workspace } from '../../../schemas/ids.ts';
import { parseExactly } from '../../runtime/exact-json.ts';
import type { Query } from '../ports.ts';
import { textOf } from './people.ts';

interface Device {
  /** Its token. */
  readonly id: string;
  readonly platform: string;
  /** As the client said it: seconds, or a text. */
  readonly last_used: unknown;
  readonly attributes: unknown;
}

/** Of a person, those used last. Ours. */
const devicesMax = 100;

/** By person id; who has none is not in it. */
export async function readDevices(
  query: Query,
  workspace: Workspace,
  personIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Device[]>> {
  const devices = new Map<string, Device[]>();
  if (personIds.length === 0) return devices;
  for (const row of await query(DEVICES, { workspace, people: personIds, most: devicesMax })) {
    const person = textOf(row['person_id']);
    const known = devices.get(person);
    const device = deviceIn(row);
    if (known === undefined) devices.set(person, [device]);
    else known.push(device);
  }
  return devices;
}

function deviceIn(row: Readonly<Record<string, unknown>>): Device {
  const lastUsed = textOf(row['last_used']);
  const attributes = textOf(row['attributes']);
  return {
    id: textOf(row['token']),
    platform: textOf(row['platform']),
    last_used: lastUsed === '' ? null : parseExactly(lastUsed), // JSON that ingest has read
    attributes: attributes === '' ? {} : parseExactly(attributes),
  };
}

const DEVICES = `
  SELECT
    person_id, token,
    JSONExtractString(newest.2, 'device', 'type') AS platform,
    JSONExtractRaw(newest.2, 'device', 'last_used') AS last_used,
    newest.3 AS attributes
  FROM (
    SELECT
      toString(person_id) AS person_id,
      if(
        JSONType(assumeNotNull(context), 'device', 'token') = 'String',
        JSONExtractString(assumeNotNull(context), 'device', 'token'), ''
      ) AS token,
      argMax(
        (toString(name), assumeNotNull(context), ifNull(properties, '{}')),
        (timestamp, received_at, _partition, _offset)
      ) AS newest, max(timestamp) AS at
    FROM events
    WHERE workspace = {workspace:String} AND person_id IN {people:Array(String)} AND type = 'event'
      AND name IN ('Device Created or Updated', 'Device Deleted') AND isNotNull(context)
    GROUP BY person_id, token
  )
  WHERE token != '' AND newest.1 != 'Device Deleted'
  ORDER BY person_id, at DESC, token LIMIT {most:UInt32} BY person_id`;

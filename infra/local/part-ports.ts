/**
 * Where embedded parts listen: what a setting says; else where they listened at the last start, so that connections that
 * people have saved go on; else the usual port, if it is free.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WantedPort } from './embedded-part.ts';
import type { LauncherSettings } from './launcher-settings.ts';
import { writePrivateFile } from './private-file.ts';

export type PartPorts = Pick<LauncherSettings, 'kafkaPort' | 'registryPort' | 'clickhousePort'>;

const usual = { kafka: 9_092, registry: 8_081, clickhouse: 8_123 } as const;
export type PartName = keyof typeof usual;

export function portOf(settings: PartPorts, dataFolder: string, part: PartName): WantedPort {
  const fixed = settings[`${part}Port`];
  return fixed === undefined ? { usual: kept(dataFolder)[part] ?? usual[part] } : { fixed };
}

export function keepPort(dataFolder: string, part: PartName, port: number): void {
  writePrivateFile(fileOf(dataFolder), `${JSON.stringify({ ...kept(dataFolder), [part]: port }, null, 2)}\n`);
}

/** A file that is gone or no longer readable costs the ports that it named, and nothing else. */
function kept(dataFolder: string): Partial<Record<PartName, number>> {
  try {
    const read: unknown = JSON.parse(readFileSync(fileOf(dataFolder), 'utf8'));
    if (typeof read !== 'object' || read === null) return {};
    return Object.fromEntries(
      Object.entries(read).filter(([part, port]) => part in usual && Number.isInteger(port)),
    );
  } catch {
    return {};
  }
}

function fileOf(dataFolder: string): string {
  return join(dataFolder, 'ports.json');
}

/** A broker and a registry for a bench: those of TEST_KAFKA_BROKERS and TEST_SCHEMA_REGISTRY_URL, else its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface HeldParts {
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  release(): Promise<void>;
}

const HOLD_PARTS = fileURLToPath(new URL('../infra/local/hold-parts.ts', import.meta.url));

export async function holdParts(): Promise<HeldParts> {
  const { TEST_KAFKA_BROKERS: brokers, TEST_SCHEMA_REGISTRY_URL: registryUrl } = process.env;
  if (brokers !== undefined && registryUrl !== undefined) {
    return { brokers: brokers.split(','), registryUrl, release: () => Promise.resolve() };
  }
  const holder = spawn(process.execPath, [HOLD_PARTS], {
    env: { ...process.env, TEST_CLICKHOUSE_URL: 'http://not-needed' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(holder.stdout)) {
    if (!line.startsWith('{')) continue;
    const held = JSON.parse(line) as Record<string, string>; // hold-parts writes it
    return {
      brokers: (held['TEST_KAFKA_BROKERS'] ?? '').split(','),
      registryUrl: held['TEST_SCHEMA_REGISTRY_URL'] ?? '',
      release: async () => {
        const exit = once(holder, 'exit');
        holder.stdin.end();
        await exit;
      },
    };
  }
  throw new Error('could not start a broker and a registry for the bench');
}

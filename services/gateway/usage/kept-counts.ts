/**
 * What workspaces have brought outlives a restart: it is written to `usage.json` in HINDSIGHT_DATA every few seconds and at
 * the end, so that what brings down a gateway does not begin its day anew. A process that is killed loses these seconds.
 */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isWorkspace, type Workspace } from '../../../schemas/ids.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Counts, WorkspaceBytes } from './workspace-bytes.ts';

const pauseMs = 10_000;

export interface KeptCountsOptions {
  readonly dataFolder: string;
  readonly bytes: Pick<WorkspaceBytes, 'changes' | 'entries' | 'restore'>;
  readonly logger: Pick<Logger, 'warn'>;
}

export class KeptCounts {
  readonly #options: KeptCountsOptions;
  readonly #file: string;
  readonly #timer: NodeJS.Timeout;
  #written = 0;
  #writing: Promise<void> = Promise.resolve();

  /** Goes on with what an earlier process counted. */
  constructor(options: KeptCountsOptions) {
    this.#options = options;
    this.#file = join(options.dataFolder, 'usage.json');
    options.bytes.restore(this.#read());
    this.#timer = setInterval(() => void this.write(), pauseMs);
    this.#timer.unref();
  }

  /** Never rejects: who counts does not stop for a disk. */
  write(): Promise<void> {
    return (this.#writing = this.#writing.then(() => this.#writeNow()));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }

  async #writeNow(): Promise<void> {
    const { bytes, logger } = this.#options;
    const { changes } = bytes;
    if (changes === this.#written) return;
    const draft = `${this.#file}.${String(process.pid)}`;
    try {
      await writeFile(draft, JSON.stringify(bytes.entries), { mode: 0o600 });
      await rename(draft, this.#file);
      this.#written = changes;
    } catch (error) {
      logger.warn({ error }, 'what workspaces have brought could not be written down yet');
    }
  }

  #read(): readonly (readonly [Workspace, Counts])[] {
    try {
      const found: unknown = JSON.parse(readFileSync(this.#file, 'utf8'));
      return Array.isArray(found) ? found.flatMap(entryOf) : [];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        this.#options.logger.warn(
          { error },
          'what workspaces have brought cannot be read: it is counted anew',
        );
      }
      return [];
    }
  }
}

/** Empty: it is none. */
function entryOf(value: unknown): readonly (readonly [Workspace, Counts])[] {
  if (!Array.isArray(value)) return [];
  const [name, counts] = value as unknown[];
  if (typeof name !== 'string' || !isWorkspace(name) || !Array.isArray(counts)) return [];
  const [hour, day] = (counts as unknown[]).map(countOf);
  return hour === undefined || day === undefined ? [] : [[name, [hour, day]]];
}

function countOf(value: unknown): readonly [number, number] | undefined {
  if (!Array.isArray(value)) return undefined;
  const [window, bytes] = value as unknown[];
  if (!Number.isSafeInteger(window) || !Number.isSafeInteger(bytes)) return undefined;
  return [Number(window), Number(bytes)];
}

/**
 * Whether the disk has room for more. Below the bound nothing that calls bring is taken (`disk_low`, 503): what is under
 * way then still finds room, so that no state is torn. Below twice the bound readiness and the log say so, while there is
 * time. Reading, definitions and settings go on.
 */
import { statfs } from 'node:fs/promises';
import { CodedError } from '../../runtime/errors.ts';
import type { QuietLog } from '../quiet-log.ts';

const pauseMs = 2_000;
const WARN_AT = 2;

export interface DiskRoomOptions {
  readonly folder: string;
  /** 0: the disk is not looked at. */
  readonly freeBytesMin: number;
  readonly log: Pick<QuietLog, 'say'>;
  /** Bytes that are free for this process. */
  readonly freeBytes?: (folder: string) => Promise<number>;
}

export class DiskRoom {
  readonly #options: DiskRoomOptions;
  #free = Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DiskRoomOptions) {
    this.#options = options;
  }

  /** Resolves when it has looked once. */
  async open(): Promise<this> {
    if (this.#options.freeBytesMin === 0) return this;
    await this.look();
    this.#timer = setInterval(() => void this.look(), pauseMs);
    this.#timer.unref();
    return this;
  }
  close(): Promise<void> {
    clearInterval(this.#timer);
    return Promise.resolve();
  }

  /** A disk that cannot be asked is taken for what it was: what it does then is for who writes to say. */
  async look(): Promise<void> {
    const { folder, freeBytes = freeBytesOf, freeBytesMin, log } = this.#options;
    try {
      this.#free = await freeBytes(folder);
    } catch (error) {
      log.say('warn', 'disk_unknown', 'how much of the disk is free cannot be told', { error });
      return;
    }
    const fields = { free_bytes: this.#free, free_bytes_min: freeBytesMin };
    if (this.#free < freeBytesMin)
      log.say('error', 'disk_low', 'the disk is nearly full: nothing is taken', fields);
    else if (this.#free < freeBytesMin * WARN_AT)
      log.say('warn', 'disk_filling', 'the disk is filling up', fields);
  }

  /** @throws CodedError `disk_low` */
  check(): void {
    if (this.#free >= this.#options.freeBytesMin) return;
    throw new CodedError('disk_low', `could not take the call: ${this.#text}`);
  }

  get health(): { readonly ok: boolean; readonly detail?: string } {
    const { freeBytesMin } = this.#options;
    if (this.#free >= freeBytesMin * WARN_AT) return { ok: true };
    return { ok: this.#free >= freeBytesMin, detail: this.#text };
  }

  get #text(): string {
    return `the disk has ${String(this.#free)} bytes left, and below ${String(this.#options.freeBytesMin)} nothing is taken`;
  }
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

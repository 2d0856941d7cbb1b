/**
 * Disks for a processor's tests: real folders, opened as the product opens them, each disk with a secret of its own.
 * Whoever opens a folder again finds what a killed process would have left.
 */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPartitionStores } from '../../runtime/store/open-stores.ts';
import type { PartitionStores, StoreNeeds } from '../../runtime/store/ports.ts';

export class FolderDisks {
  readonly #root = mkdtempSync(join(tmpdir(), 'hindsight-folder-disks-'));
  readonly #opened: PartitionStores[] = [];
  #folders = 0;

  /** An empty one. */
  readonly fresh = (): { open(folder: string, needs: StoreNeeds): PartitionStores } => {
    let disk = this.#newFolder();
    return {
      open: (folder, needs) => {
        const left = disk;
        disk = this.#newFolder();
        if (existsSync(left)) cpSync(left, disk, { recursive: true });
        const stores = openPartitionStores(join(disk, folder), needs);
        this.#opened.push(stores);
        return stores;
      },
    };
  };

  close(): void {
    for (const stores of this.#opened) stores.close();
    rmSync(this.#root, { recursive: true, force: true });
  }

  #newFolder(): string {
    this.#folders += 1;
    return join(this.#root, String(this.#folders));
  }
}

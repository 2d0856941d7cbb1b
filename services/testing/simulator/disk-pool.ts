/** The disks of a service's machines that no process uses now, and what a person does with them. */
import { assert } from '../../runtime/errors.ts';
import type { Disk, Disks, StateFolder } from './disks.ts';
import type { Random } from '../random.ts';

export class DiskPool {
  readonly #disks: Disks;
  readonly #random: Random;
  readonly #idle: Disk[] = [];

  constructor(disks: Disks, random: Random) {
    this.#disks = disks;
    this.#random = random;
  }

  /** One of them, which may be old; else an empty one. */
  take(): Disk {
    return this.#idle.splice(this.#random.below(this.#idle.length), 1)[0] ?? this.#disks.fresh();
  }

  /** Its process is dead. @param without folders that a person has taken away, since they do not reach back. */
  giveBack(disk: Disk, without?: readonly StateFolder[]): void {
    this.#idle.push(disk.afterCrash(without));
  }

  /** The one that was given back last is broken. */
  loseLast(): void {
    this.#idle.pop();
  }

  /**
   * The disk that was given back last, of a process that has refused to go on, gets what it lacks from other disks.
   * Nothing of the service runs. False when one of the folders is nowhere: there is nothing left to try.
   */
  mendLast(lacking: readonly StateFolder[], hadFolder: (folder: StateFolder) => boolean): boolean {
    const last = this.#idle.at(-1);
    assert(last !== undefined, 'a disk was given back');
    return lacking.every((folder) => {
      const from = this.#idle.find((disk) => disk !== last && disk.has(folder));
      if (from !== undefined) this.#disks.move(folder, from, last);
      return from !== undefined || hadFolder(folder); // else the snapshot did not reach back, nor do the logs
    });
  }
}

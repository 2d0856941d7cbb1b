/** One thing that is tried, aimed at one bound. */
import type { Caller, Item } from './caller.ts';

export interface Attack {
  /** What is tried, in words of the report. */
  readonly name: string;
  /** Of workspace `default`, where one bystander is, or of a workspace of the attacker's own with all its keys. */
  readonly by: 'public key' | 'own workspace';
  run(caller: Caller, size: number): Promise<void>;
}

export function* times(count: number, make: (index: number) => Item | readonly Item[]): Generator<Item> {
  for (let index = 0; index < Math.max(1, Math.round(count)); index += 1) {
    const made = make(index);
    if ('type' in made) yield made;
    else yield* made;
  }
}

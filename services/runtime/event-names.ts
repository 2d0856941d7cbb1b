/**
 * One event under many spellings (spec E row 114). Spellings that differ in case, in what stands between
 * the words, or in camel case are one by themselves; other names of the same event are said by the workspace, or by a
 * preset. Pure.
 */
import { composedCharsMax } from '../../schemas/identifiers.ts';
import { RecentMap } from './recent-map.ts';
import { storefrontNames } from './storefront-names.ts';

export interface EventNamesSettings {
  /** `storefront`: the names that shops, tag managers and shop systems give the steps to an order. */
  readonly preset: 'storefront' | null;
  /** By the name that is kept: other names of the same event, in any spelling. They go before the preset. */
  readonly names: Readonly<Record<string, readonly string[]>>;
}

const spellingsAGeneration = 1_000;

/** `add_to_cart`, `addToCart`, `Add-To-Cart` as `add to cart`. Empty: the name has neither letter nor digit. */
export function foldedName(name: string): string {
  // A longer one has no other spelling.
  const composed = name.length > composedCharsMax ? name : name.normalize('NFC');
  return composed
    .replace(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
}

export class EventNames {
  readonly #canonical = new Map<string, string>();
  /** Names as sent: an event's name is looked at once, not each time that it comes. */
  readonly #spellings = new RecentMap<string, string>(spellingsAGeneration);

  constructor({ preset, names }: EventNamesSettings) {
    if (preset === 'storefront') this.#add(storefrontNames);
    this.#add(names);
  }

  #add(names: EventNamesSettings['names']): void {
    for (const [canonical, others] of Object.entries(names)) {
      for (const name of [canonical, ...others]) {
        const folded = foldedName(name);
        if (folded !== '') this.#canonical.set(folded, canonical);
      }
    }
  }

  /** The name that is kept. */
  of(name: string): string {
    let canonical = this.#spellings.get(name);
    if (canonical === undefined) {
      canonical = this.#canonical.get(foldedName(name)) ?? name;
      this.#spellings.set(name, canonical);
    }
    return canonical;
  }
}

export interface NameConflict {
  readonly canonical: string;
  /** Of the others; -1: the canonical name itself. */
  readonly index: number;
  /** Which it is another name of, too. */
  readonly other: string;
}

/** A spelling that would be two events. */
export function nameConflicts(names: EventNamesSettings['names']): readonly NameConflict[] {
  const owners = new Map<string, string>();
  const conflicts: NameConflict[] = [];
  const canonicals = Object.keys(names);
  const entries = [
    ...canonicals.map((canonical) => ({ canonical, name: canonical, index: -1 })),
    ...canonicals.flatMap((canonical) =>
      (names[canonical] ?? []).map((name, index) => ({ canonical, name, index })),
    ),
  ];
  for (const { canonical, name, index } of entries) {
    const folded = foldedName(name);
    const owner = owners.get(folded);
    if (owner === undefined) owners.set(folded, canonical);
    else if (owner !== canonical) conflicts.push({ canonical, index, other: owner });
  }
  return conflicts;
}

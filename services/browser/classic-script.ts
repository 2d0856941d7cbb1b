/**
 * Our own script for pages with the classic snippet (classic/track.js), with what the workspace of its key says of consent
 * in it: a page asks for nothing else before it sends.
 */
import { readFileSync } from 'node:fs';
import { assert } from '../runtime/errors.ts';
import { RecentMap } from '../runtime/recent-map.ts';
import type { ConsentSettings } from '../runtime/workspace-settings.ts';
import { scriptFile, type ScriptFile } from './script-file.ts';

/** Where it stands in the script. */
const PLACE = 'var workspace = {};';
/** Of settings that differ; above it those used least are made anew. */
const scriptsRemembered = 50;

export class ClassicScripts {
  readonly #text: string;
  readonly #usual: ScriptFile;
  readonly #made = new RecentMap<string, ScriptFile>(scriptsRemembered);

  constructor() {
    this.#text = readFileSync(new URL('./classic/track.js', import.meta.url), 'utf8');
    assert(this.#text.includes(PLACE), 'track.js has a place for what the workspace says');
    this.#usual = scriptFile(Buffer.from(this.#text));
  }

  /** @param consent undefined: of a key that nobody has. */
  of(consent: ConsentSettings | undefined): ScriptFile {
    if (consent?.required !== true) return this.#usual;
    const { events_max: eventsMax, days_max: daysMax } = consent;
    const said = JSON.stringify({ consent: { eventsMax, daysMax } });
    const known = this.#made.get(said);
    if (known !== undefined) return known;
    const made = scriptFile(Buffer.from(this.#text.replace(PLACE, `var workspace = ${said};`)));
    this.#made.set(said, made);
    return made;
  }
}

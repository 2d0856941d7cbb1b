/** What a message shows: its kind, its place and its texts, each of which is Liquid that can be read. */
import { pointerTo, type Faults } from './faults.ts';
import { textCharsMax } from './limits.ts';
import {
  actionsMax,
  bodyCharsMax,
  contentKinds,
  formFieldsMax,
  htmlCharsMax,
  positions,
  snoozeMinutesMax,
  type Action,
  type Content,
  type ContentKind,
  type Form,
  type Position,
} from './message.ts';
import type { JsonObject } from './paths.ts';
import { parseTemplate } from './template.ts';

const KEYS = ['kind', 'position', 'element', 'title', 'body', 'html', 'coupon', 'actions', 'form'];

const SIDES: readonly Position[] = ['top', 'bottom', 'left', 'right'];
const SLOTS: readonly Position[] = [...SIDES, 'top-left', 'top-right', 'bottom-left', 'bottom-right'];
/** The first is where it stands unless said otherwise. */
const PLACES: Readonly<Record<ContentKind, readonly Position[]>> = {
  modal: ['center', 'top', 'bottom'],
  overlay: ['bottom-right', ...SLOTS.filter((slot) => slot !== 'bottom-right')],
  inline: ['center'],
  tooltip: SIDES,
  banner: ['top', 'bottom'],
};

export function readContent(value: unknown, pointer: string, faults: Faults): Content | undefined {
  if (value === undefined) {
    faults.add(pointer, 'required', 'is required');
    return;
  }
  const from = faults.object(value, pointer, KEYS);
  if (from === undefined) return;
  const kind = faults.oneOf(from, 'kind', pointer, contentKinds);
  if (kind === undefined) return;
  const texts = { faults, pointer, from };
  const content: Content = {
    kind,
    position: readPosition(from, kind, pointer, faults),
    element: readElement(from, kind, pointer, faults),
    title: readText('title', textCharsMax, texts),
    body: readText('body', bodyCharsMax, texts),
    html: readText('html', htmlCharsMax, texts),
    coupon: readText('coupon', textCharsMax, texts),
    actions: readActions(from['actions'], pointerTo(pointer, 'actions'), faults),
    form:
      from['form'] === undefined
        ? null
        : (readForm(from['form'], pointerTo(pointer, 'form'), faults) ?? null),
  };
  if (content.title === null && content.body === null && content.html === null) {
    faults.add(pointer, 'required', 'must have a title, a body or html');
  }
  return content;
}

function readPosition(from: JsonObject, kind: ContentKind, pointer: string, faults: Faults): Position {
  const places = PLACES[kind];
  const usual = places[0] ?? 'center';
  if (from['position'] === undefined) return usual;
  const position = faults.oneOf(from, 'position', pointer, positions);
  if (position === undefined || places.includes(position)) return position ?? usual;
  faults.add(pointerTo(pointer, 'position'), 'unknown_value', `of a ${kind} is one of ${places.join(', ')}`);
  return usual;
}

function readElement(from: JsonObject, kind: ContentKind, pointer: string, faults: Faults): string | null {
  const isPlaced = kind === 'inline' || kind === 'tooltip';
  if (isPlaced) return faults.text(from, 'element', pointer, textCharsMax) ?? null;
  if (from['element'] !== undefined) {
    faults.add(pointerTo(pointer, 'element'), 'unknown_key', 'belongs to inline and tooltip');
  }
  return null;
}

interface Texts {
  readonly faults: Faults;
  readonly pointer: string;
  readonly from: JsonObject;
}

function readText(key: string, charsMax: number, { faults, pointer, from }: Texts): string | null {
  if (from[key] === undefined || from[key] === null) return null;
  const text = faults.text(from, key, pointer, charsMax);
  if (text === undefined) return null;
  const parsed = parseTemplate(text, key === 'html');
  if (parsed.ok) return text;
  faults.add(pointerTo(pointer, key), 'invalid_template', `is no Liquid that can be read: ${parsed.detail}`);
  return null;
}

function readActions(value: unknown, pointer: string, faults: Faults): readonly Action[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    faults.add(pointer, 'wrong_type', 'must be a list');
    return [];
  }
  if (value.length > actionsMax) {
    faults.add(pointer, 'too_many', `has at most ${String(actionsMax)} entries`);
    return [];
  }
  return value.flatMap((item: unknown, index) => {
    const action = readAction(item, pointerTo(pointer, index), faults);
    return action === undefined ? [] : [action];
  });
}

function readAction(value: unknown, pointer: string, faults: Faults): Action | undefined {
  const from = faults.object(value, pointer, ['name', 'label', 'url', 'close', 'snooze']);
  if (from === undefined) return;
  const name = faults.text(from, 'name', pointer, textCharsMax);
  const label = readText('label', textCharsMax, { faults, pointer, from });
  if ((from['label'] ?? null) === null) faults.add(pointerTo(pointer, 'label'), 'required', 'is required');
  const url = readText('url', textCharsMax, { faults, pointer, from });
  if (url !== null && !url.startsWith('{{') && !mayLead(url)) {
    faults.add(pointerTo(pointer, 'url'), 'unknown_value', 'leads to http, https, mailto, tel, or a path');
  }
  const close = from['close'];
  if (close !== undefined && typeof close !== 'boolean') {
    faults.add(pointerTo(pointer, 'close'), 'wrong_type', 'must be true or false');
  }
  const snooze =
    from['snooze'] === undefined
      ? null
      : (faults.integer(from, 'snooze', pointer, { min: 1, max: snoozeMinutesMax }) ?? null);
  return name === undefined || label === null
    ? undefined
    : { name, label, url, close: close === true, snooze };
}

/** A button runs no script. What is filled in is asked again when it is (services/in-app/fill-content.ts). */
export function mayLead(url: string): boolean {
  return /^(https?:\/\/|mailto:|tel:|\/|\.{1,2}\/|[?#]|gist:\/\/)/i.test(url.trim());
}

const FIELD = /^[a-z][a-z0-9_]{0,49}$/;

function readForm(value: unknown, pointer: string, faults: Faults): Form | undefined {
  const from = faults.object(value, pointer, ['fields', 'submit']);
  if (from === undefined) return;
  const submit = readText('submit', textCharsMax, { faults, pointer, from });
  if ((from['submit'] ?? null) === null) faults.add(pointerTo(pointer, 'submit'), 'required', 'is required');
  const at = pointerTo(pointer, 'fields');
  const fields = from['fields'];
  if (!Array.isArray(fields) || fields.length === 0) {
    faults.add(at, 'required', 'must be a list of at least one');
    return;
  }
  if (fields.length > formFieldsMax) {
    faults.add(at, 'too_many', `has at most ${String(formFieldsMax)} entries`);
    return;
  }
  const names = fields.filter((field): field is string => typeof field === 'string' && FIELD.test(field));
  if (names.length < fields.length) {
    faults.add(at, 'unknown_value', 'a field is a small letter and up to 49 of a-z, 0-9 and _');
    return;
  }
  return submit === null ? undefined : { fields: names, submit };
}

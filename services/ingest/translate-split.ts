/** What a split call becomes, or every fault of it with its JSON pointer. Sizes count as they are kept. Pure. */
import { Compile } from 'typebox/compile';
import { splitBytesMax, splitTextBytesMax } from '../../schemas/http/limits.ts';
import { Split } from '../../schemas/http/pipelines.ts';
import type { Fault } from '../../schemas/http/app.ts';
import { canonicalName } from '../../schemas/identifiers.ts';
import { assert } from '../runtime/errors.ts';
import { noted, type NotedCall } from './corrections.ts';
import type { ReadJson } from './json-text.ts';
import { byShape, ofKind } from './names.ts';
import {
  accepted,
  controlOutcome,
  isRefusal,
  refused,
  type CallContext,
  type Outcome,
  type Refusal,
  type Translation,
} from './translation.ts';
import { nameFault, textFault } from './validate.ts';

const shape = Compile(Split);
/** More are not told: a body of a thousand bad names must not be answered by a thousand lines. */
const faultsMax = 100;

export type SplitTranslation =
  | { readonly type: 'accepted'; readonly outcomes: readonly Outcome[] }
  | { readonly type: 'faults'; readonly faults: readonly Fault[] };

export function translateSplit(call: CallContext, path: string, read: ReadJson): SplitTranslation {
  if (read.type === 'malformed') return faulty({ pointer: '', code: 'invalid_call', message: read.message });
  const body = read.sent.value;
  if (!shape.Check(body)) return faulty(shapeFault(body));
  const faults: Fault[] = [];
  const translation = noted(call, read.sent, (noting) =>
    split(noting, path, body, (fault) => faults.push(fault)),
  );
  return isRefusal(translation) ? faulty(...faults.slice(0, faultsMax)) : translation;
}

/** Names are measured in the form that they are kept in. Refused when any fault was told. */
function split(call: NotedCall, path: string, body: Split, tell: (fault: Fault) => void): Translation {
  const { into: target = null, by, why } = body;
  let first: Refusal | undefined;
  const sound = <T>(pointer: string, value: T | Refusal | undefined): T | undefined => {
    if (!isRefusal(value)) return value;
    first ??= value;
    tell({ pointer, code: value.reason, message: value.message });
    return undefined;
  };
  const identifier = sound('', byShape(call, 'id', path));
  const anonymousIds = (body.anonymous_ids ?? []).map((each, index) => {
    const name = canonicalName(each);
    const field = `anonymous_ids.${String(index)}`;
    if (name !== each) call.corrections.push({ field, sent: each, kept: name, why: 'canonical_form' });
    return sound(`/anonymous_ids/${String(index)}`, nameFault('anonymous_id', name) ?? name);
  });
  const identifiers = (body.identifiers ?? []).map((each, index) =>
    typeof each === 'string'
      ? sound(`/identifiers/${String(index)}`, byShape(call, 'identifier', each))
      : sound(`/identifiers/${String(index)}/value`, ofKind(call, 'identifier', each)),
  );
  if (anonymousIds.length + identifiers.length === 0) {
    const text = 'name at least one anonymous id or identifier to take out';
    sound('/anonymous_ids', refused('invalid_call', 'anonymous_ids', text));
  }
  const into = target === null ? null : sound('/into', byShape(call, 'into', target));
  sound('/by', textFault('by', by, splitTextBytesMax));
  sound('/why', textFault('why', why, splitTextBytesMax));
  const detail = JSON.stringify({ anonymous_ids: anonymousIds, identifiers, into, by, why });
  if (first === undefined) sound('', textFault('a split', detail, splitBytesMax));
  if (first !== undefined) return first;
  assert(identifier !== undefined, 'what has no fault is an identifier');
  return accepted(controlOutcome(call, 'split', { messageId: call.mintMessageId(), identifier, detail }));
}

function faulty(...faults: readonly Fault[]): SplitTranslation {
  return { type: 'faults', faults };
}

/** The deepest says it best: those above it only say that no form of a union fits. */
function shapeFault(value: unknown): Fault {
  const faults = shape.Errors(value).map(({ keyword, instancePath, message, params }): Fault => {
    const { requiredProperties: [missing] = [] } = params as { requiredProperties?: readonly string[] }; // TypeBox's shape
    const pointer =
      keyword === 'required' && missing !== undefined ? `${instancePath}/${missing}` : instancePath;
    return { pointer, code: 'invalid_call', message };
  });
  const depth = ({ pointer }: Fault): number => pointer.split('/').length;
  return faults.reduce((best, fault) => (depth(fault) > depth(best) ? fault : best));
}

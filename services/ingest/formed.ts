/** What a call has become, in the form that its workspace wants: names, items, moments that identify. Pure. */
import { EventNames, foldedName } from '../runtime/event-names.ts';
import type { WorkspaceSettings } from '../runtime/workspace-settings.ts';
import type { CallForm } from './call-form.ts';
import { noted, type NotedCall } from './corrections.ts';
import { emptyObject } from './json-text.ts';
import { identifiedBy } from './identify-moments.ts';
import { normalEvent } from './normalise-event.ts';
import { isRefusal, type CallContext, type Outcome, type Translation } from './translation.ts';

/** Undefined when the workspace keeps everything as it is sent. Settings are one object until they change. */
export function formOf(settings: WorkspaceSettings): CallForm | undefined {
  if (!forms.has(settings)) forms.set(settings, compile(settings));
  return forms.get(settings);
}

const forms = new WeakMap<WorkspaceSettings, CallForm | undefined>();

function compile({
  event_names,
  normalise_items: isWithItems,
  identify_moments,
}: WorkspaceSettings): CallForm | undefined {
  const isNamed = event_names.preset !== null || Object.keys(event_names.names).length > 0;
  if (!isNamed && !isWithItems && identify_moments.length === 0) return undefined;
  const names = isNamed ? new EventNames(event_names) : undefined;
  const moments = identify_moments.map((each) => ({
    ...each,
    event: foldedName(names?.of(each.event) ?? each.event),
  }));
  return { names, isWithItems, moments };
}

export function formed(call: CallContext, translation: Translation): Translation {
  const { form } = call;
  if (form === undefined || isRefusal(translation)) return translation;
  const { outcomes, strictFaults } = translation;
  const done = noted(call, emptyObject, (noting) => ({
    type: 'accepted',
    outcomes: outcomes.flatMap((outcome) => formedOutcome(noting, outcome, form)),
  }));
  return strictFaults === undefined || isRefusal(done) ? done : { ...done, strictFaults };
}

function formedOutcome(call: NotedCall, outcome: Outcome, form: CallForm): readonly Outcome[] {
  if (outcome.type !== 'event' || outcome.event.type !== 'event') return [outcome];
  const event = normalEvent(outcome.event, form);
  return identifiedBy(call, event, form.moments) ?? [{ type: 'event', event }];
}

/** What is allowed in a message and most likely not meant. */
import type { Fault } from '../../schemas/http/app.ts';
import { isJsonObject } from './paths.ts';

/** @param body that parseMessage has accepted. */
export function messageWarnings(body: unknown): readonly Fault[] {
  if (!isJsonObject(body)) return [];
  const variants = Array.isArray(body['variants']) ? (body['variants'] as readonly unknown[]) : undefined;
  const contents =
    variants === undefined
      ? [{ pointer: '/content', content: body['content'] }]
      : variants.map((variant, index) => ({
          pointer: `/variants/${String(index)}/content`,
          content: isJsonObject(variant) ? variant['content'] : undefined,
        }));
  return contents.flatMap(({ pointer, content }) => (hasNextStep(content) ? [] : [withoutNextStep(pointer)]));
}

function withoutNextStep(pointer: string): Fault {
  const message = 'nothing in it leads on: give it an action that has a url, or a form';
  return { pointer, code: 'no_next_step', message };
}

function hasNextStep(content: unknown): boolean {
  if (!isJsonObject(content)) return false;
  const { actions, form, html } = content;
  const leads = (action: unknown): boolean => isJsonObject(action) && typeof action['url'] === 'string';
  const links = typeof html === 'string' && /<a\s|<form\s/i.test(html);
  return form !== undefined || links || (Array.isArray(actions) && actions.some(leads));
}

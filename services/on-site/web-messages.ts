/** Messages in the shape that Customer.io's web plugin reads (spec B). */
import { contentIdOf } from '../../schemas/content-ids.ts';
import type { Offered } from './ports.ts';

/** Names the message in what the plugin keeps of it: a new version is no new message. */
export function queueIdOf(messageId: string): string {
  return messageId;
}

/** The plugin has eight: two within the page, for banners, and six that lie over it. */
const BANNER_SLOTS: Readonly<Record<string, string>> = { top: 'x-gist-top', bottom: 'x-gist-bottom' };
const OVERLAY_SLOTS: Readonly<Record<string, string>> = {
  top: 'x-gist-floating-top',
  bottom: 'x-gist-floating-bottom',
  // It has none in the middle of a side.
  left: 'x-gist-floating-top-left',
  right: 'x-gist-floating-top-right',
  'top-left': 'x-gist-floating-top-left',
  'top-right': 'x-gist-floating-top-right',
  'bottom-left': 'x-gist-floating-bottom-left',
  'bottom-right': 'x-gist-floating-bottom-right',
};

export function webMessage(offered: Offered, token: string): Readonly<Record<string, unknown>> {
  const { message_id: id, version, variant, content, priority, pattern = null } = offered;
  const { count, delay } = offered.frequency ?? { count: 0, delay: 0 };
  const contentId = contentIdOf(id);
  return {
    messageId: id,
    queueId: queueIdOf(id),
    priority,
    properties: {
      // What the renderer shows, and whom it asks for before it does.
      hindsight: { message_id: id, version, variant, token, content },
      gist: {
        ...(pattern !== null && { routeRuleWeb: pattern }),
        ...placeOf(content),
        broadcast: {
          broadcastId: String(contentId),
          broadcastIdInt: contentId,
          templateId: version,
          frequency: { count, delay, ignoreDismiss: false },
        },
        exitClick: false,
        persistent: false,
      },
    },
  };
}

function placeOf({ kind, position, element }: Readonly<Record<string, unknown>>) {
  const place = typeof position === 'string' ? position : 'center';
  switch (kind) {
    case 'inline':
      return { elementId: element };
    case 'tooltip':
      return { elementId: element, tooltipPosition: place };
    case 'overlay':
      return { elementId: OVERLAY_SLOTS[place] ?? 'x-gist-floating-bottom-right' };
    case 'banner':
      return { elementId: BANNER_SLOTS[place] ?? OVERLAY_SLOTS[place] ?? 'x-gist-top' };
    default:
      return { position: place };
  }
}

/*!
 * Hindsight: on-site messages, what cleans html; with DOMPurify. Apache-2.0.
 */
import DOMPurify from 'dompurify';
import type {} from './load-cleaner.ts';

/** What a message may be made of: text, images, tables, styles of its own elements. Nothing that runs, sends or embeds. */
const allowed = {
  USE_PROFILES: { html: true },
  FORBID_TAGS: [
    'form',
    'input',
    'button',
    'select',
    'textarea',
    'style',
    'link',
    'meta',
    'base',
    'iframe',
    'video',
    'audio',
  ],
  FORBID_ATTR: ['srcset', 'ping', 'id', 'name'],
  ALLOW_DATA_ATTR: false,
};

/** Of a page in a frame, `_top` or a window of its own; in itself it would show a shop without its shop. */
DOMPurify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName !== 'A') return;
  node.setAttribute('rel', 'noopener');
  if (node.getAttribute('target') !== '_blank') node.setAttribute('target', '_top');
});

window.hindsightCleanHtml = (html) => DOMPurify.sanitize(html, allowed);

/*!
 * Hindsight: on-site messages in the frame of Customer.io's web plugin. Apache-2.0.
 */
/*
 * The plugin, unmodified, opens a page in a frame, posts it the message, and shows the frame when that says that it is
 * ready (spec B). The page asks first whether the message may be shown still; refused, it stays out of sight.
 */
import { targetOf } from './action-target.ts';
import { drawContent } from './draw-content.ts';
import { element } from './element.ts';
import { htmlFrame } from './html-frame.ts';
import { cleaner } from './load-cleaner.ts';
import { styleInto } from './message-style.ts';
import type { Content, Reaction } from './offer.ts';
import { QueueCalls } from './queue-calls.ts';
import { randomId } from './random-id.ts';

interface Asked {
  readonly siteId: string;
  readonly messageId: string;
  readonly instanceId: string;
  readonly colorScheme?: string;
  readonly customAttributes?: Readonly<Record<string, unknown>> | readonly (readonly [string, unknown])[];
  readonly properties?: {
    readonly hindsight?: {
      readonly message_id: string;
      readonly variant: string;
      readonly token: string;
      readonly content: Content;
    };
  };
}

const base = location.href.replace(/\/index\.html(?:[?#].*)?$/, '');
const calls = new QueueCalls(base);
let isAsked = false;

addEventListener('message', ({ data, source }: MessageEvent<{ readonly options?: Asked } | null>) => {
  if (data?.options === undefined || source !== parent || isAsked) return;
  isAsked = true;
  void show(data.options);
});

async function show(asked: Asked): Promise<void> {
  const { siteId, messageId, customAttributes } = asked;
  const attributes = Array.isArray(customAttributes)
    ? Object.fromEntries(customAttributes as readonly (readonly [string, unknown])[])
    : (customAttributes ?? {});
  const anonymousId = (attributes as Readonly<Record<string, unknown>>)['cio_anonymous_id'];
  const mine = asked.properties?.hindsight;
  if (mine === undefined) {
    tell(asked, 'routeError', { message: `${messageId} is no message of this server` });
    return;
  }
  const { message_id, variant, token } = mine;
  if (typeof anonymousId === 'string') {
    const exposure = randomId();
    const who = { site_id: siteId, anonymous_id: anonymousId, token };
    const page = { page: document.referrer || base, message_id, variant, exposure };
    if ((await calls.askToShow({ ...who, ...page })) !== variant) return;
  }
  draw(asked, mine.content);
}

function draw(asked: Asked, content: Content): void {
  const host = element('div', {});
  const root = host.attachShadow({ mode: 'open' });
  styleInto(root);
  const scheme = asked.colorScheme === 'dark' || asked.colorScheme === 'light' ? asked.colorScheme : '';
  const box = element('main', { class: `message inline ${scheme}` });
  const tap = (action: string, name: string) => {
    tell(asked, 'tap', { action, name, system: false });
  };
  const react = (reaction: Reaction) => {
    switch (reaction.event) {
      case 'snoozed':
        tap(`gist://snooze?showIn=${String(reaction.minutes)}`, reaction.action ?? '');
        break;
      case 'dismissed':
        tap('gist://close', reaction.action ?? '');
        break;
      case 'submitted': {
        const properties = { message_id: asked.messageId, ...reaction.answers };
        tell(asked, 'eventDispatched', {
          name: 'analytics:track',
          payload: { event: 'Message Answered', properties },
        });
        break;
      }
      default:
        tap(addressOf(content, reaction.action ?? ''), reaction.action ?? '');
    }
  };
  const ports = {
    react,
    close: () => undefined,
    drawHtml: (html: string, title: string) =>
      htmlFrame(html, { title, clean: cleaner, led: (url) => tap(url, url) }),
  };
  const { nodes, titleId } = drawContent(content, ports);
  if (titleId === undefined) box.setAttribute('aria-label', 'Message');
  else box.setAttribute('aria-labelledby', titleId);
  const cross = element('button', { class: 'close', type: 'button', 'aria-label': 'Close' }, '×');
  cross.addEventListener('click', () => react({ event: 'dismissed' }));
  // The plugin leads the page to where a button leads; this frame stays.
  box.addEventListener('click', (event) => {
    if (event.target instanceof HTMLAnchorElement) event.preventDefault();
  });
  box.append(...nodes, cross);
  root.append(box);
  document.body.append(host);
  new ResizeObserver(() => {
    tell(asked, 'sizeChanged', { width: box.offsetWidth, height: box.offsetHeight });
  }).observe(box);
  tell(asked, 'routeLoaded', { route: asked.messageId });
}

/**
 * Of the button of that name; a button that leads nowhere names itself. The plugin leads the page to what loadPage says, as
 * it stands, and to nothing else.
 */
function addressOf({ actions }: Content, name: string): string {
  const action = actions?.find((each) => each.name === name);
  const target = action === undefined ? undefined : targetOf(action);
  return target?.type === 'leads' ? `gist://loadPage?url=${target.url}` : `action://${name}`;
}

function tell({ instanceId }: Asked, method: string, parameters: object): void {
  // What it says is nobody's secret, and the page's origin is not told to it.
  parent.postMessage({ gist: { instanceId, method, parameters } }, '*');
}

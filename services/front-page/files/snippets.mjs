/** What can be pasted: one visitor who does something and then says who they are, in each way of calling. Pure. */

/** @typedef {{ id: string, title: string, note: string, code: string }} Snippet */

/**
 * @param {{ address: string, keys: import('./sign-in.mjs').Keys }} where to, as far as the keys are known
 * @returns {readonly Snippet[]}
 */
export function snippetsFor({ address, keys }) {
  const server = keys['write_key'] ?? 'YOUR_WRITE_KEY';
  return [
    { id: 'curl', title: 'curl', note: 'In a shell.', code: curl(address, server) },
    {
      id: 'browser',
      title: 'Browser',
      note: 'Stays in the head of each page. It is Customer.io’s own snippet, with our address and a key of kind browser; what to call from it is beside it.',
      code: browser(address, keys['browser_key'] ?? 'YOUR_BROWSER_KEY'),
    },
    {
      id: 'browser-messages',
      title: 'Browser, messages and consent',
      note: 'In the place of the one before: it shows on-site messages too, and sends nothing of a visitor before hindsightInApp.consent(true).',
      code: browser(
        address,
        keys['browser_key'] ?? 'YOUR_BROWSER_KEY',
        messages(keys['site_id'] ?? 'YOUR_SITE_ID'),
      ),
    },
    {
      id: 'browser-calls',
      title: 'Browser, sample calls',
      note: 'To try once, in the console of a page with the snippet. In a page, identify stands where somebody signs in, with their own id, and reset where they sign out.',
      code: browserCalls,
    },
    {
      id: 'customerio-node',
      title: 'customerio-node',
      note: 'npm install customerio-node@5; save as visitor.mjs, node visitor.mjs.',
      code: track(address, keys['site_id'] ?? 'YOUR_SITE_ID', keys['api_key'] ?? 'YOUR_API_KEY'),
    },
    {
      id: 'cdp-analytics-node',
      title: 'cdp-analytics-node',
      note: 'npm install @customerio/cdp-analytics-node; save as visitor.mjs, node visitor.mjs.',
      code: analytics(address, server),
    },
    {
      id: 'python',
      title: 'Python',
      note: 'Python 3, nothing to install.',
      code: python(address, server),
    },
  ];
}

/** @type {(address: string, key: string) => string} */
const curl = (address, key) => `curl -u '${key}:' ${address}/v1/track -H 'content-type: application/json' \\
  -d '{"anonymousId":"visitor-1","event":"Added to Cart","properties":{"sku":"boots"}}'
curl -u '${key}:' ${address}/v1/identify -H 'content-type: application/json' \\
  -d '{"anonymousId":"visitor-1","userId":"42","traits":{"email":"ada@mail.example"}}'
`;

const browserCalls = `analytics.track("Added to Cart", { sku: "boots" });
analytics.identify("42", { email: "ada@mail.example" });
`;

/** @type {(siteId: string) => string} */
const messages = (siteId) =>
  `, { integrations: { "Customer.io In-App Plugin": { siteId: "${siteId}", anonymousInApp: true, consent: true } } }`;

/** @type {(address: string, key: string, options?: string) => string} */
const browser = (address, key, options = '') => `<script>
!function(){var analytics=window.analytics=window.analytics||[];if(!analytics.initialize)if(analytics.invoked)window.console&&console.error&&console.error("Snippet included twice.");else{analytics.invoked=!0;analytics.methods=["trackSubmit","trackClick","trackLink","trackForm","pageview","identify","reset","group","track","ready","alias","debug","page","once","off","on","addSourceMiddleware","addIntegrationMiddleware","setAnonymousId","addDestinationMiddleware"];analytics.factory=function(e){return function(){var t=Array.prototype.slice.call(arguments);t.unshift(e);analytics.push(t);return analytics}};for(var e=0;e<analytics.methods.length;e++){var key=analytics.methods[e];analytics[key]=analytics.factory(key)}analytics.load=function(key,e){var t=document.createElement("script");t.type="text/javascript";t.async=!0;t.src="${address}/v1/analytics-js/snippet/" + key + "/analytics.min.js";var n=document.getElementsByTagName("script")[0];n.parentNode.insertBefore(t,n);analytics._writeKey=key;analytics._loadOptions=e};analytics.SNIPPET_VERSION="4.15.3";
analytics.load("${key}"${options});
analytics.page();
}}();
</script>
`;

/** @type {(address: string, siteId: string, apiKey: string) => string} */
const track = (address, siteId, apiKey) => `import { TrackClient } from 'customerio-node';

const cio = new TrackClient('${siteId}', '${apiKey}', { url: '${address}/api/v1' });
await cio.trackAnonymous('visitor-1', { name: 'Added to Cart', data: { sku: 'boots' } });
await cio.identify('42', { email: 'ada@mail.example', anonymous_id: 'visitor-1' });
`;

/** @type {(address: string, key: string) => string} */
const analytics = (address, key) => `import { Analytics } from '@customerio/cdp-analytics-node';

const analytics = new Analytics({ writeKey: '${key}', host: '${address}' });
analytics.track({ anonymousId: 'visitor-1', event: 'Added to Cart', properties: { sku: 'boots' } });
analytics.identify({ anonymousId: 'visitor-1', userId: '42', traits: { email: 'ada@mail.example' } });
await analytics.closeAndFlush();
`;

/** @type {(address: string, key: string) => string} */
const python = (address, key) => `import base64, json, urllib.request

def call(what, body):
    key = base64.b64encode(b"${key}:").decode()
    headers = {"Authorization": "Basic " + key, "Content-Type": "application/json"}
    request = urllib.request.Request("${address}/v1/" + what, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        print(answer.status, answer.read().decode().strip())

call("track", {"anonymousId": "visitor-1", "event": "Added to Cart", "properties": {"sku": "boots"}})
call("identify", {"anonymousId": "visitor-1", "userId": "42", "traits": {"email": "ada@mail.example"}})
`;

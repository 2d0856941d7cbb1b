// One visitor's story: `node examples/story.mjs`, while `npm start` runs.
import { readFileSync } from 'node:fs';
import { Analytics } from '@customerio/cdp-analytics-node';
import { TrackClient } from 'customerio-node';

const read = (name) => JSON.parse(readFileSync(`.hindsight/${name}.json`, 'utf8'));
const { http } = read('endpoints');
const { site_id, api_key, write_key, app_key } = read('credentials').default;
const visitor = `visitor-${Date.now()}`;

const shop = new Analytics({ writeKey: write_key, host: http });
shop.page({ anonymousId: visitor, name: 'Boots' });
shop.track({ anonymousId: visitor, event: 'Added to Cart', properties: { sku: 'boots' } });
await shop.closeAndFlush();

const people = new TrackClient(site_id, api_key, { url: `${http}/api/v1` });
await people.identify('ada', { email: 'ada@mail.example', anonymous_id: visitor });

while (!(await fetch(`${http}/health/settled`)).ok);
const headers = { authorization: `Bearer ${app_key}` };
const { steps } = await (await fetch(`${http}/v1/trace?anonymous_id=${visitor}`, { headers })).json();
for (const { at, stage, name = '', person_id = '' } of steps) console.log(at, stage, name, person_id);

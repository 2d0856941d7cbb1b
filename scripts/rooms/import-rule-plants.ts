/** A small tree in which each rule of .dependency-cruiser.mjs is broken, for the suite of planted faults only. */
export const importRulePlants: Readonly<Record<string, string>> = {
  // no-circle
  'services/merger/one.ts': "import { two } from './two.ts';\nexport const one = (): number => two();\n",
  'services/merger/two.ts': "import { one } from './one.ts';\nexport const two = (): number => one();\n",
  // unresolved
  'services/merger/lost.ts': "export { gone } from './gone.ts';\n",
  // decider-without-io
  'services/merger/decide/reads.ts': "export { readFileSync } from 'node:fs';\n",
  // services-talk-through-topics, workshop-is-under-no-floor, rules-for-evaluators
  'services/merger/talks.ts': "export { i } from '../identity/inner.ts';\n",
  'services/merger/script.ts': "export { s } from '../../scripts/some.ts';\n",
  'services/merger/asks.ts': "export { r } from '../rules/some.ts';\n",
  'services/identity/inner.ts': 'export const i = 1;\n',
  'services/rules/some.ts': 'export const r = 1;\n',
  'scripts/some.ts': 'export const s = 1;\n',
  // schemas-stand-alone, runtime-knows-no-service, gateway-mounts-plugins
  'schemas/some.ts': "export { i } from '../services/identity/inner.ts';\n",
  'services/runtime/some.ts': "export { i } from '../identity/inner.ts';\n",
  'services/gateway/some.ts': "export { a } from '../app/inner.ts';\n",
  'services/app/inner.ts': 'export const a = 1;\n',
  // testing-stays-in-the-workshop; by way of it testing-stays-out. Everything that is not led to is a rig outside.
  'scripts/service.ts': "export { f } from '../services/trigger/leads.ts';\n",
  'services/trigger/leads.ts': "export { f } from '../testing/fake.ts';\n",
  'services/testing/fake.ts': 'export const f = 1;\n',
  // packages that are imported in one place
  'services/trigger/packages.ts': [
    'dompurify',
    'kafkajs',
    'lmdb',
    'isbot',
    'pino',
    '@kafkajs/confluent-schema-registry',
    'chdb',
    '@clickhouse/client',
  ]
    .map((name) => `import '${name}';\n`)
    .join(''),
};

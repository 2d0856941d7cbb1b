/** Import boundaries. What a rule protects is said in its comment; `npm run check` prints it when the rule is broken. */

/** A package, wherever it was found. */
const npm = (name) => `(^|/)node_modules/${name}/`;
const tests = '\\.test\\.ts$';
/** The workshop, tests, and what is run by hand: no rule about production holds them. */
const testing = `^(services/testing|bench|scripts|docs|examples)/|${tests}`;

const onlyIn = (name, packageName, path, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { pathNot: [path, testing] },
  to: { path: npm(packageName) },
});

export default {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'Files that import each other, if only types, cannot be read one after the other.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'unresolved',
      comment: 'An import must lead somewhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'decider-without-io',
      comment: 'A decider is told everything: it reads no file, no socket, no log, no store.',
      severity: 'error',
      from: { path: ['/decide/', '^services/rules/'], pathNot: tests },
      to: {
        path: [
          '^(node:)?(fs|net|http|https|tls|dgram|dns|child_process|worker_threads|cluster|timers)(/|$)',
          '^services/runtime/(log|task)/(?!ports)',
          '^services/runtime/store/(?!ports)',
          '^services/runtime/(registry|logger|config|status-server)',
          npm('(kafkajs|lmdb|chdb|pino|fastify|@clickhouse|@kafkajs)'),
        ],
      },
    },
    {
      name: 'schemas-stand-alone',
      comment: 'The contract depends on nothing of ours.',
      severity: 'error',
      from: { path: '^schemas/', pathNot: tests },
      to: { path: '^(services|infra|scripts)/' },
    },
    {
      name: 'runtime-knows-no-service',
      comment: 'What makes a shell knows no service.',
      severity: 'error',
      from: { path: '^services/runtime/', pathNot: testing },
      to: { path: ['^services/(?!runtime/)', '^(infra|scripts)/'] },
    },
    {
      name: 'services-talk-through-topics',
      comment: 'A service imports no other service.',
      severity: 'error',
      from: { path: '^services/([^/]+)/', pathNot: [testing, '^services/(runtime|gateway)/'] },
      to: { path: '^services/', pathNot: ['^services/$1/', '^services/(runtime|rules)/'] },
    },
    {
      name: 'testing-stays-in-the-workshop',
      comment:
        'Production never leads to a fake, a generator or a test library; rigs stand in services/testing.',
      severity: 'error',
      from: { path: '^(services|schemas|infra)/', pathNot: ['^services/testing/', tests] },
      to: { path: ['^services/testing/', tests, npm('(@jest/globals|fast-check)')] },
    },
    {
      name: 'no-rig-outside-the-workshop',
      comment:
        'What no running service leads to is a rig, and stands in services/testing, or is dead. The language of conditions is whole by itself; what pages load is read as files.',
      severity: 'error',
      from: {
        path: [
          '^scripts/(service|topics|migrate|apply|tasks)\\.ts$',
          '^infra/local/(launcher|clickhouse-engine)\\.ts$',
        ],
      },
      to: {
        path: '^services/(?!testing/|rules/|browser/(in-app|built|classic)/|front-page/files/|demo/page/)',
        pathNot: tests,
        reachable: false,
      },
    },
    {
      name: 'workshop-is-under-no-floor',
      comment: 'Scripts may use what the workshop has; the workshop uses no script.',
      severity: 'error',
      from: { path: '^(services|schemas|infra)/', pathNot: tests },
      to: { path: '^scripts/' },
    },
    {
      name: 'rules-for-evaluators',
      comment:
        'The language of conditions is for trigger, in-app, and the App API that stores and explains it.',
      severity: 'error',
      from: { path: '^services/', pathNot: [testing, '^services/(rules|trigger|app|in-app)/'] },
      to: { path: '^services/rules/' },
    },
    {
      name: 'gateway-mounts-plugins',
      comment:
        'The gateway sees of ingest, of on-site messages, of what pages load and of the App API their plugins, and the ports those ask for.',
      severity: 'error',
      from: { path: '^services/gateway/', pathNot: testing },
      to: {
        path: '^services/',
        pathNot: [
          '^services/(gateway|runtime)/',
          '^services/(ingest|browser|front-page|on-site|app|demo)/(plugin|ports)\\.ts$',
        ],
      },
    },
    {
      name: 'testing-stays-out',
      comment: 'Nothing that a service runs leads to a fake or a generator.',
      severity: 'error',
      from: {
        path: '^scripts/(service|start|topics|migrate|apply)\\.(ts|mjs)$',
      },
      to: { path: '^services/testing/', reachable: true },
    },
    onlyIn(
      'dompurify-in-one-place',
      'dompurify',
      '^services/browser/in-app/entry-html\\.ts$',
      'What cleans html is loaded for messages that have any, and nowhere else.',
    ),
    onlyIn('kafkajs-in-one-place', 'kafkajs', '^services/runtime/log/', 'Only the log port knows kafkajs.'),
    onlyIn('lmdb-in-one-place', 'lmdb', '^services/runtime/store/', 'Only the keyed store knows LMDB.'),
    onlyIn(
      'isbot-in-one-place',
      'isbot',
      '^services/runtime/bot-agents\\.ts$',
      'What a program is, is said in one place.',
    ),
    onlyIn(
      'pino-in-one-place',
      'pino',
      '^services/runtime/logger\\.ts$',
      'Logs are written through the logger.',
    ),
    onlyIn(
      'registry-in-one-place',
      '@kafkajs/confluent-schema-registry',
      '^services/runtime/registry\\.ts$',
      'Only services/runtime/registry.ts knows the client of the registry.',
    ),
    onlyIn(
      'chdb-in-one-place',
      'chdb',
      '^infra/local/(engine/|clickhouse-engine\\.ts$)',
      'Services speak HTTP to ClickHouse, embedded or not.',
    ),
    onlyIn(
      'clickhouse-client-in-few-places',
      '@clickhouse/client',
      '^(services/sink/target|services/gateway/clickhouse|services/app/clickhouse|services/trigger/past/clickhouse|services/sink/schema/migrate)\\.ts$',
      'One file a service speaks to ClickHouse.',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};

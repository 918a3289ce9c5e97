// Which part may import which. `npm run lint` fails where one imports what it may not, or where imports go in a circle.
// shared/ from below: the files of its root, config/ and db/; the contract (events/) and the ways out (broker/, outbox/,
// poller/, consumers/, event-log/, dead-letters/); records and their rules (users/, roles/, passwords/, sessions/, …); flows
// that need several of them (registration/, sign-in/, accounts/, …). That order is what is left once no circle is allowed.

/** Libraries that a few places use, so that their bundles alone carry them, and so that one place is enough to replace one. */
const LIBRARIES = {
  kysely: '^shared/(db/|consumers/consumer\\.ts|.+-store\\.ts)',
  pg: '^shared/db/',
  amqplib: '^shared/(broker/|poller/|lambda/rmq-event\\.ts)',
  jose: '^shared/sessions/[a-z-]+-token\\.ts',
  bcryptjs: '^shared/passwords/',
  '@otplib': '^shared/factors/totp\\.ts',
  uqr: '^shared/factors/totp\\.ts',
  nodemailer: '^shared/emails/mail-connection\\.ts',
  '@aws-sdk/client-lambda': '^shared/lambda/',
  'aws-lambda': '^shared/http/',
};

const libraries = Object.entries(LIBRARIES).map(([library, users]) => ({
  name: `${library}-in-its-place`,
  severity: 'error',
  from: { path: '^(functions|shared)/', pathNot: users },
  to: { path: `^(node_modules/)?(@types/)?${library}(/|$)` },
}));

module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-circle-of-folders',
      severity: 'error',
      scope: 'folder',
      from: { path: '^(functions|shared|local|scripts|console|pages)(/|$)' },
      to: { circular: true },
    },
    {
      name: 'functions-are-entry-points',
      comment: 'A function imports shared/ alone, and nothing imports a function.',
      severity: 'error',
      from: { path: '^(functions|shared)/' },
      to: { path: '^functions/' },
    },
    {
      name: 'nothing-deployed-imports-local',
      severity: 'error',
      from: { path: '^(functions|shared)/' },
      to: { path: '^(local|scripts|tests|bench)/' },
    },
    {
      name: 'root-of-shared-stands-alone',
      severity: 'error',
      from: { path: '^shared/[^/]+$' },
      to: { path: '^shared/.+/' },
    },
    {
      name: 'only-functions-know-http',
      severity: 'error',
      from: { path: '^shared/', pathNot: '^shared/(http|openapi)/' },
      to: { path: '^shared/(http|openapi)/' },
    },
    {
      name: 'examples-stand-alone',
      comment: 'Another team copies them without the rest.',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: '^(functions|local|scripts|shared|tests)/' },
    },
    {
      name: 'broker-model-stands-alone',
      comment: 'In the embedded broker, wire/ and storage/ import model/, which imports neither.',
      severity: 'error',
      from: { path: '^local/amqp-broker/model/' },
      to: { path: '^(functions|local|scripts|shared)/', pathNot: '^local/amqp-broker/model/' },
    },
    {
      name: 'broker-wire-and-storage-apart',
      severity: 'error',
      from: { path: '^local/amqp-broker/(wire|storage)/' },
      to: { path: '^local/', pathNot: '^local/amqp-broker/($1|model)/' },
    },
    ...libraries,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};

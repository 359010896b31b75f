import { readdirSync, readFileSync } from 'node:fs'

/** Source files that may import a third-party package. The others go through them. */
const doors = {
  jose: [
    'packages/transmitter/src/(keys/|authenticate/(server-keys|jwt-access-tokens)[.]ts)',
    'packages/receiver/src/verify-set[.]ts',
  ],
  '@panva/hkdf': ['packages/transmitter/src/keys/derive[.]ts'],
  eventemitter3: ['packages/core/src/emitter[.]ts'],
  undici: [
    'packages/transmitter/src/delivery/post-set[.]ts',
    'packages/receiver/src/outgoing/node-fetch[.]ts',
  ],
  oauth4webapi: [
    'packages/receiver/src/peer/(client-credentials|client-authentication|authorization-server)[.]ts',
  ],
  '@modelcontextprotocol/server': ['packages/enforcement/src/mcp/'],
  libsql: ['packages/core/src/sqlite/driver[.]ts'],
  ajv: ['packages/schema/tools/', 'packages/schema/src/json-schema[.]ts'],
}

/** Packages of ours that stand side by side: the application wires them. */
const siblings = '(transmitter|receiver|enforcement)'

/** The files that the `exports` of our packages open. */
const entries = readdirSync('packages').flatMap((name) =>
  Object.values(JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8')).exports)
    .map((target) => target['drawbridge-source'])
    .filter(Boolean)
    .map((file) => `^packages/${name}/${file.slice(2).replaceAll('.', '[.]')}$`),
)

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

export default {
  forbidden: [
    forbid('no-cycles', 'Type imports count.', {}, { circular: true }),
    forbid(
      'unresolvable',
      'Also what no "exports" opens.',
      { pathNot: '^test/support/readme/' },
      { couldNotResolve: true },
    ),
    forbid(
      'undeclared',
      'A published file imports only what its package.json declares.',
      { path: '^packages/[^/]+/src/' },
      {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['npm-peer'],
      },
    ),
    forbid(
      'schema-and-core-import-nothing-of-ours',
      'They are the bottom.',
      { path: '^packages/(schema|core)/src/' },
      { path: '^packages/(?!$1/)' },
    ),
    forbid(
      'siblings-import-schema-and-core-alone',
      'Transmitter, receiver and enforcement never import each other.',
      { path: `^packages/${siblings}/src/` },
      { path: '^packages/(?!$1/|schema/|core/)' },
    ),
    forbid(
      'no-deep-imports',
      'From outside, a package is what its "exports" say.',
      { path: '^(packages/[^/]+|examples|test|bench|tools)/' },
      { path: '^packages/', pathNot: ['^$1/', ...entries] },
    ),
    forbid(
      'packages-by-name',
      'A published file finds the other package in node_modules.',
      { path: '^(packages/[^/]+)/src/' },
      { path: '^packages/', pathNot: '^$1/', dependencyTypes: ['local'] },
    ),
    forbid(
      'nobody-imports-examples',
      'Examples are read and run, not imported.',
      { path: '^packages/[^/]+/src/' },
      { path: '^(examples|bench|test|tools)/' },
    ),
    forbid(
      'not-via-index',
      'Inside a package, files are imported by their own names.',
      { path: '^packages/([^/]+)/src/.+' },
      { path: '^packages/$1/src/(index|[^/]+/index)[.]ts$' },
    ),
    forbid(
      'web-only-files-reach-no-node',
      'They run wherever the Fetch API is.',
      {
        path: '^packages/(schema|core|receiver)/src/',
        pathNot:
          '^packages/(core/src/((node|fastify|incoming-request)[.]ts|outgoing/|sqlite/)|receiver/src/(node|outgoing/node-fetch)[.]ts)',
      },
      { dependencyTypes: ['core'] },
    ),
    forbid(
      'web-only-entries-reach-no-node-files',
      'Not by a detour either.',
      { path: '^packages/(schema|core|receiver)/src/index[.]ts$' },
      {
        path: '^packages/core/src/((node|fastify|incoming-request)[.]ts|outgoing/|sqlite/)',
        reachable: true,
      },
    ),
    ...Object.entries(doors).map(([dependency, files]) =>
      forbid(
        `one-door-${dependency.replace(/^@|\/.*/g, '')}`,
        'Each third-party package has one door per package.',
        { path: '^packages/[^/]+/(src|tools)/', pathNot: files.map((file) => `^${file}`) },
        { path: `(^|/)node_modules/${dependency}/` },
      ),
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages|examples)/[^/]+/dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      // Without `node`: what a file has two forms of is seen as where only Web APIs exist.
      conditionNames: ['drawbridge-source', 'import', 'types', 'default'],
    },
  },
}

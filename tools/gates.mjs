/**
 * The gates of `npm run check`. Each has canaries: mistakes that are planted in a copy of the
 * workspace, and the words by which the gate must complain about them. A gate that was never seen
 * to fail is not a gate.
 *
 * `plant` maps a file to its text, or to a function of the text that is there.
 */
export const gates = [
  {
    name: 'types',
    run: 'npm run -s typecheck',
    canaries: [
      {
        plant: { 'packages/schema/src/canary.ts': "export const canary: number = 'one'\n" },
        expect: [/packages\/schema\/src\/canary\.ts.*TS2322/],
      },
      {
        plant: { 'packages/schema/test/canary.test.ts': "export const canary: number = 'one'\n" },
        expect: [/packages\/schema\/test\/canary\.test\.ts.*TS2322/],
      },
    ],
  },
  {
    name: 'generated',
    run: 'npm run -s generate -- --check',
    canaries: [
      {
        plant: {
          'docs/event-types.md': (text) => `${text}\nby hand\n`,
          'packages/schema/src/caep/session-revoked.validate.ts': (text) => `${text}// by hand\n`,
          'packages/schema/events/caep/credential-change.json': (text) =>
            text.replace('"revoke", ', ''),
        },
        expect: [
          /docs\/event-types\.md/,
          /caep\/session-revoked\.validate\.ts/,
          /caep\/credential-change\.ts/,
          /caep\/credential-change\.validate\.ts/,
        ],
      },
    ],
  },
  {
    name: 'lint',
    run: 'npm run -s lint',
    canaries: [
      {
        plant: {
          'packages/core/src/canary.ts': `export async function canary(value: any, kind: 'a' | 'b'): Promise<boolean> {
  Promise.resolve(value)
  process.exitCode = 1
  switch (kind) {
    case 'a':
      break
  }
  return value instanceof Error
}
export default canary
`,
          'packages/core/test/canary.test.ts': 'Promise.resolve(1)\n',
        },
        expect: [
          /no-floating-promises/,
          /no-explicit-any/,
          /switch-exhaustiveness-check/,
          /no-instanceof-builtins/,
          /no-default-export/,
          /no-restricted-globals/,
          /packages\/core\/test\/canary\.test\.ts/,
        ],
      },
    ],
  },
  {
    name: 'format',
    run: 'npm run -s format',
    canaries: [
      {
        plant: { 'packages/core/src/canary.ts': 'export const canary = "one";\n' },
        expect: [/packages\/core\/src\/canary\.ts/],
      },
    ],
  },
  {
    name: 'deps',
    run: 'npm run -s deps',
    canaries: [
      {
        plant: {
          'packages/schema/src/canary.ts': `export * from '@drawbridge/core'
export * from 'node:fs'
export * from './no-such-file.ts'
export * from 'jest'
`,
          'packages/core/src/canary.ts': `export * from './index.ts'
export * from './canary-two.ts'
export * from 'node:fs'
export * from 'eventemitter3'
export * from 'libsql'
`,
          'packages/core/src/canary-two.ts': "export * from './canary.ts'\n",
          'packages/receiver/src/canary.ts': `export * from '@drawbridge/core/node'
export * from '@drawbridge/transmitter'
export * from '../../core/src/backoff.ts'
export * from '../../../tools/run.mjs'
export * from 'jose'
`,
          'packages/receiver/src/index.ts': (text) => `${text}export * from './canary.ts'\n`,
          'packages/enforcement/src/canary.ts': "export * from '@modelcontextprotocol/server'\n",
          'packages/transmitter/src/canary.ts': `export * from '@panva/hkdf'
export * from 'undici'
export * from 'jose'
export * from 'ajv'
`,
        },
        expect: [
          /no-cycles: packages\/core\/src\/canary/,
          /unresolvable: packages\/schema\/src\/canary/,
          /undeclared: packages\/schema\/src\/canary/,
          /schema-and-core-import-nothing-of-ours: packages\/schema\/src\/canary/,
          /siblings-import-schema-and-core-alone: packages\/receiver\/src\/canary/,
          /no-deep-imports: packages\/receiver\/src\/canary/,
          /packages-by-name: packages\/receiver\/src\/canary/,
          /nobody-imports-examples: packages\/receiver\/src\/canary/,
          /not-via-index: packages\/core\/src\/canary/,
          /web-only-files-reach-no-node: packages\/schema\/src\/canary/,
          /web-only-files-reach-no-node: packages\/core\/src\/canary/,
          /web-only-entries-reach-no-node-files: packages\/receiver\/src\/index/,
          /one-door-jose: packages\/receiver\/src\/canary/,
          /one-door-jose: packages\/transmitter\/src\/canary/,
          /one-door-panva: packages\/transmitter\/src\/canary/,
          /one-door-undici: packages\/transmitter\/src\/canary/,
          /one-door-ajv: packages\/transmitter\/src\/canary/,
          /one-door-eventemitter3: packages\/core\/src\/canary/,
          /one-door-libsql: packages\/core\/src\/canary/,
          /one-door-modelcontextprotocol: packages\/enforcement\/src\/canary/,
        ],
      },
    ],
  },
  {
    name: 'unused',
    run: 'npm run -s unused',
    canaries: [
      {
        plant: {
          'packages/core/src/canary.ts': 'export {}\n',
          'packages/core/src/backoff.ts': (text) => `${text}export const canary = 1\n`,
          'packages/schema/package.json': (text) =>
            text.replace('"exports"', '"dependencies": { "jose": "^6.1.0" },\n  "exports"'),
        },
        expect: [
          /packages\/core\/src\/canary\.ts/,
          /canary\s+packages\/core\/src\/backoff\.ts/,
          /jose\s+packages\/schema\/package\.json/,
        ],
      },
    ],
  },
  {
    name: 'packaging',
    run: 'npm run -s packaging',
    canaries: [
      {
        plant: {
          'packages/core/package.json': (text) => text.replaceAll('dist/node.', 'dist/missing.'),
          'tools/packaging/consumer.ts': (text) => `${text}export const canary: number = uri\n`,
        },
        expect: [
          /publint core: failed/,
          /attw core: failed/,
          /import "@drawbridge\/core\/node": failed/,
          /require "@drawbridge\/core\/node": failed/,
          /consumer\.ts.*TS2322/,
        ],
      },
      {
        plant: {
          'test/types/events.ts': (text) => text.replace('case TokenClaimsChange.uri:', ''),
          // Compiles with what we build with, and not for everybody.
          'packages/schema/src/canary.ts':
            'export const canary: Uint8Array<ArrayBuffer> = new Uint8Array()\n',
          'packages/schema/src/event-type.ts': (text) =>
            text.replace(
              'name: nameOf(uri)',
              "name: nameOf(uri) + 'ajv urn:ietf:params:scim:event:canary'",
            ),
          'packages/schema/src/index.ts': (text) =>
            `${text}export { canary } from './canary.ts'
export { SessionRevoked } from './caep/session-revoked.ts'
`,
        },
        expect: [
          /compile, TypeScript 5\.4, NodeNext: failed/,
          /compile, TypeScript 5\.4, Bundler: failed/,
          /compile, TypeScript 7, NodeNext: failed/,
          /compile, TypeScript 7, Bundler: failed/,
          /events\.ts.*TS1360/,
          /canary\.d\.ts.*TS2315/,
          /SessionRevoked: mentions "ajv"/,
          /SessionRevoked: has 2 event type URIs/,
          /all of the root: has a validator/,
        ],
      },
    ],
  },
  {
    name: 'docs',
    run: 'npm run -s docs',
    canaries: [
      {
        plant: {
          'packages/core/src/canary.ts': `export const canary = 1
/** Said in full. */
export interface Documented {
  /** What is not exported. */
  readonly hidden: Hidden
}
interface Hidden {
  /** One. */
  readonly one: 1
}
`,
          'packages/core/src/index.ts': (text) => `${text}export * from './canary.ts'\n`,
        },
        expect: [
          /canary.*does not have any documentation/,
          /Hidden.*not included in the documentation/,
        ],
      },
      {
        // Links are looked at only where nothing else is wrong.
        plant: {
          'packages/core/src/backoff.ts': (text) =>
            text.replace('/** When to try again', '/** See {@link Nowhere}. When to try again'),
        },
        expect: [/"Nowhere"/],
      },
    ],
  },
  {
    name: 'conformance',
    run: 'npm run -s conformance -- --check',
    canaries: [
      {
        plant: {
          'docs/requirements.md': (text) =>
            text.replace(
              '\n| SET-2-1 |',
              '\n| SET-99-1 | §99 | SET | MUST | Planted. |\n| SET-99-6 | §99 | Transmitter | MAY | Planted. |$&',
            ),
          'packages/schema/test/canary.test.ts': `// SET-99-1
const said = 'SET-99-1'
describe('SET-99-1: in a title', () => it.skip('that no test runs under', () => said))
it.each([['SSF-99-2', 1]])('%s', () => {})
it(\`CAEP-99-3: \${said}\`, () => {})
describe('of a row', () => it('SET-99-4 is none', () => {}))
`,
          'tools/conformance/reasons.json': (text) =>
            text.replace('{', '{ "SET-2-1": "No.", "SET-99-5": "No.",'),
        },
        expect: [
          /"SET-99-1" is open/,
          /"SET-99-6" is open/,
          /canary\.test\.ts:4: "SSF-99-2" is no row/,
          /canary\.test\.ts:5: "CAEP-99-3" is no row/,
          /canary\.test\.ts:6: "SET-99-4" is no row/,
          /"SET-2-1" has a reason and a test/,
          /reasons\.json: "SET-99-5" is no row/,
        ],
      },
      {
        plant: { 'docs/conformance.md': (text) => `${text}\nby hand\n` },
        expect: [/docs\/conformance\.md is stale/],
      },
    ],
  },
]

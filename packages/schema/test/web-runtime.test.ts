import { readFileSync } from 'node:fs'
import { createContext, runInContext } from 'node:vm'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { build } from 'esbuild'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly exports: object
}
/** Everything but what needs `ajv`. */
const subpaths = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== './package.json' && subpath !== './json-schema')
  .map((subpath) => subpath.slice(2))

/** Puts all of schema into one script, with a name for each subpath: `all.root`, `all.caep`. */
async function script(): Promise<string> {
  const lines = subpaths.map(
    (subpath) =>
      `export * as ${subpath || 'root'} from '@drawbridge/schema${subpath && `/${subpath}`}'`,
  )
  const { outputFiles } = await build({
    stdin: { contents: lines.join('\n'), resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'all',
    // No module of Node resolves.
    platform: 'neutral',
    conditions: ['drawbridge-source'],
  })
  return outputFiles[0]?.text ?? ''
}

const uri = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'
const user = { format: 'iss_sub', iss: 'https://idp.example', sub: '1' }
const session = { format: 'opaque', id: 'é' }
const subject = { format: 'complex', user, session }
const claims = {
  iss: 'https://idp.example',
  iat: 1_700_000_000,
  jti: '1',
  aud: 'app',
  sub_id: subject,
  events: { [uri]: { initiating_entity: 'admin' } },
}

describe('a runtime with ECMAScript, URL, TextDecoder and TextEncoder alone', () => {
  let run: (expression: string, input?: unknown) => unknown

  beforeAll(async () => {
    const text = await script()
    const context = createContext(
      { URL, TextDecoder, TextEncoder },
      { codeGeneration: { strings: false, wasm: false } },
    )
    // What a context has of V8 besides the language.
    runInContext('delete globalThis.console; delete globalThis.WebAssembly', context)
    runInContext(text, context)
    run = (expression, input = null) => {
      const program = `((input) => JSON.stringify(${expression}))(${JSON.stringify(input)})`
      return JSON.parse(runInContext(program, context) as string) as unknown
    }
  })

  it('has nothing else', () => {
    const names = ['process', 'Buffer', 'console', 'crypto', 'fetch', 'setTimeout', 'atob']
    expect(run('input.filter((name) => name in globalThis)', names)).toEqual([])
    expect(() => run('new Function("return 1")()')).toThrow('Code generation from strings')
  })

  it('has every subpath', () => {
    expect(run('Object.keys(all).toSorted()')).toEqual(
      subpaths.map((subpath) => subpath || 'root').toSorted(),
    )
  })

  it('reads bytes with the profile strict, and judges the payload', () => {
    const token = 'all.profiles.strict.read(all.root.readJson(new TextEncoder().encode(input)))'
    const payload = `all.root.checkPayload(all.caep.SessionRevoked, ${token}.events[0].payload)`
    expect(run(payload, JSON.stringify(claims))).toEqual({ initiating_entity: 'admin' })
    expect(run(`${token}.events[0].subject`, JSON.stringify(claims))).toEqual(subject)
    const wrong = { ...claims, events: { [uri]: { initiating_entity: 'robot' } } }
    expect(() => run(payload, JSON.stringify(wrong))).toThrow('"initiating_entity"')
  })

  it('COMPAT-1-5: reads with the profile tolerant what strict refuses', () => {
    const { sub_id, ...rest } = claims
    const draft = { ...rest, events: { [uri]: { subject: sub_id } } }
    const read = (profile: string): unknown =>
      run(`all.profiles.${profile}.read(input).events[0].subject`, draft)
    expect(read('tolerant')).toEqual(subject)
    expect(() => read('strict')).toThrow('"sub_id"')
  })

  it('SSF-3.3.1-2: matches subjects by every rule', () => {
    const rules = ['session', 'stream', 'stream-literal']
    const outcomes = (event: object, other: object): unknown =>
      run('input.rules.map((rule) => all.root.matches(input.event, input.other, rule))', {
        rules,
        event,
        other,
      })
    expect(outcomes({ format: 'complex', session }, subject)).toEqual([true, true, true])
    expect(outcomes(user, subject)).toEqual([true, true, false])
    expect(outcomes(subject, { format: 'complex', session })).toEqual([false, true, true])
  })
})

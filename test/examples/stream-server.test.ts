import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createRemoteJWKSet, jwtVerify, type JWTVerifyResult } from 'jose'
import Database from 'libsql'
import { end, freePorts } from '../support/child.ts'
import { curlLines, readCurl, type CurlRequest } from './curl.ts'
import { startExample, type ExampleProcess } from './example-process.ts'

const sessionRevoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'
const verification = 'https://schemas.openid.net/secevent/ssf/event-type/verification'

// Every test starts processes, and other suites run beside it.
let folder: string
let port: number
let running: ExampleProcess[]

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'drawbridge-stream-server-'))
  ;[port] = await freePorts()
  running = []
})
afterEach(async () => {
  await Promise.all(running.map(({ child }) => end(child)))
  await rm(folder, { recursive: true, force: true })
})

const run = (args: readonly string[]): ExampleProcess => {
  const server = startExample('stream-server/dist/server.js', args)
  running.push(server)
  return server
}

/** What the server printed, and how to do one of its steps. */
interface Printed {
  readonly server: ExampleProcess
  readonly issuer: string
  readonly token: string
  /** The `curl` lines by place, from 0. */
  readonly steps: readonly string[]
  request(step: number, edit?: (line: string) => string): CurlRequest
  send(step: number, edit?: (line: string) => string): Promise<Response>
  /** What a person sets by `export STREAM=…`. */
  stream: string
}

async function start(data = folder): Promise<Printed> {
  const server = run(['--port', String(port), '--data', data])
  const text = await server.printed('Ctrl-C ends the server.')
  const [, issuer = ''] = /^ {2}issuer {2}(\S+)$/m.exec(text) ?? []
  const [, token = ''] = /^ {2}token {3}(\S+)$/m.exec(text) ?? []
  const [, exported] = /^ {2}export TOKEN=(\S+)$/m.exec(text) ?? []
  expect(exported).toBe(token)
  const printed: Printed = {
    server,
    issuer,
    token,
    steps: curlLines(text),
    stream: '',
    request: (step, edit = (line) => line) =>
      readCurl(edit(printed.steps[step] ?? ''), { TOKEN: token, STREAM: printed.stream }),
    send: (step, edit) => {
      const { url, ...init } = printed.request(step, edit)
      return fetch(url, init)
    },
  }
  return printed
}

async function createStream(printed: Printed): Promise<Record<string, unknown>> {
  const response = await printed.send(1)
  expect(response.status).toBe(201)
  const stream = (await response.json()) as Record<string, unknown>
  printed.stream = String(stream['stream_id'])
  return stream
}

async function emit(printed: Printed): Promise<string> {
  const response = await printed.send(3)
  expect(response.status).toBe(201)
  const { deliveries } = (await response.json()) as {
    deliveries: readonly { readonly stream_id: string; readonly jti: string }[]
  }
  expect(deliveries.map(({ stream_id }) => stream_id)).toEqual([printed.stream])
  return deliveries[0]?.jti ?? ''
}

async function poll(printed: Printed): Promise<Record<string, string>> {
  const response = await printed.send(4)
  expect(response.status).toBe(200)
  return ((await response.json()) as { readonly sets: Record<string, string> }).sets
}

async function verify(printed: Printed, set: string | undefined): Promise<JWTVerifyResult> {
  const metadata = (await (await printed.send(0)).json()) as { readonly jwks_uri: string }
  return jwtVerify(set ?? '', createRemoteJWKSet(new URL(metadata.jwks_uri)), {
    issuer: printed.issuer,
    audience: 'https://you.example',
    typ: 'secevent+jwt',
  })
}

describe('examples/stream-server', () => {
  it('prints steps that work as they are printed, one after the other', async () => {
    const printed = await start()
    const { issuer, send } = printed
    expect(issuer).toBe(`http://127.0.0.1:${port}`)
    expect(printed.steps).toHaveLength(7)

    const metadata = await send(0)
    expect(metadata.status).toBe(200)
    expect(await metadata.json()).toMatchObject({ issuer, spec_version: '1_0' })

    const stream = await createStream(printed)
    expect(stream).toMatchObject({
      iss: issuer,
      aud: 'https://you.example',
      events_delivered: [sessionRevoked],
      delivery: { method: 'urn:ietf:rfc:8936' },
    })
    expect(stream['delivery']).toHaveProperty('endpoint_url', printed.request(4).url)

    expect((await send(2)).status).toBe(204)
    const emitted = await emit(printed)

    const sets = await poll(printed)
    const jtis = Object.keys(sets)
    expect(jtis).toHaveLength(2)
    const claims = await Promise.all(
      jtis.map(async (jti) => {
        const { payload } = await verify(printed, sets[jti])
        expect(payload.jti).toBe(jti)
        expect(payload).not.toHaveProperty('sub')
        expect(payload).not.toHaveProperty('exp')
        return payload
      }),
    )
    expect(claims.find(({ jti }) => jti !== emitted)).toMatchObject({
      sub_id: { format: 'opaque', id: printed.stream },
      events: { [verification]: { state: 'hello' } },
    })
    expect(claims.find(({ jti }) => jti === emitted)).toMatchObject({
      sub_id: { format: 'email', email: 'alice@idp.example' },
      events: { [sessionRevoked]: { reason_admin: { en: 'Account closed' } } },
    })

    const withJtis = (line: string): string =>
      line.replace('"…"', jtis.map((jti) => `"${jti}"`).join())
    expect(printed.request(5, withJtis).body).toContain(emitted)
    const acknowledged = await send(5, withJtis)
    expect(acknowledged.status).toBe(200)
    expect(await acknowledged.json()).toEqual({ sets: {} })
    expect(await poll(printed)).toEqual({})

    expect((await send(6)).status).toBe(204)
    expect((await send(4)).status).toBe(404)
  })

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'has after %s and a restart the same token and keys, and a SET that was not acknowledged',
    async (signal) => {
      const before = await start()
      await createStream(before)
      const jti = await emit(before)
      const keys: unknown = await (await fetch(`${before.issuer}/ssf/jwks`)).json()
      before.server.child.kill(signal)
      const { code, err } = await before.server.over
      expect({ code, err }).toEqual({ code: signal === 'SIGTERM' ? 0 : null, err: '' })

      const after = await start()
      after.stream = before.stream
      expect(after.token).toBe(before.token)
      expect(await (await fetch(`${after.issuer}/ssf/jwks`)).json()).toEqual(keys)
      const sets = await poll(after)
      expect(Object.keys(sets)).toEqual([jti])
      expect((await verify(after, sets[jti])).payload).toMatchObject({ jti })
    },
  )

  it('keeps the token to its user', async () => {
    const printed = await start()
    const { mode } = await stat(path.join(folder, 'secrets.json'))
    expect(mode & 0o777).toBe(0o600)
    const { url, ...init } = printed.request(3)
    const response = await fetch(url, { ...init, headers: { Authorization: 'Bearer other' } })
    expect(response.status).toBe(401)
  })

  it('answers a mistake in what is to be emitted with 400 and the member', async () => {
    const printed = await start()
    const answer = async (body: string): Promise<unknown> => {
      const { url, ...init } = printed.request(3)
      const response = await fetch(url, { ...init, body })
      const { error } = (await response.json()) as { readonly error: string }
      return [response.status, error]
    }
    const type = 'session-revoked'
    const subject = { format: 'email', email: 'alice@idp.example' }
    const cases: readonly (readonly [body: unknown, error: RegExp])[] = [
      [{ type: 'session-ended', subject }, /^"type" must be one of session-revoked, /],
      [{ subject }, /^"type" must be one of /],
      [{ type }, /^"subject" must be /],
      [{ type, subject: { format: 'email' } }, /^"subject\.email" must be /],
      [{ type, subject: { email: 'alice@idp.example' } }, /^"subject\.email" must be /],
      [{ type, subject, payload: { reason_admin: 'Account closed' } }, /"reason_admin"/],
      [{ type, subject, payload: 'Account closed' }, /payload/],
      [{ type: 'device-compliance-change', subject }, /"previous_status".*"current_status"/],
      [null, /^the body must be a JSON object$/],
    ]
    for (const [body, error] of cases) {
      expect(await answer(JSON.stringify(body))).toEqual([400, expect.stringMatching(error)])
    }
    expect(await answer('{')).toEqual([400, 'the body must be a JSON object'])
    await createStream(printed)
    expect(await poll(printed)).toEqual({}) // nothing of it was recorded
  })
})

describe('examples/stream-server, started with what it cannot use', () => {
  const says = async (sentence: string, args: readonly string[]): Promise<void> => {
    const { code, out, err } = await run(args).over
    expect({ code, out, err }).toEqual({
      code: 1,
      out: '',
      err: `the stream server cannot start: ${sentence}\n`,
    })
  }
  const usual = (): string[] => ['--port', String(port), '--data', folder]

  it('says so of the command line', async () => {
    const badPort = '"--port" must be a number from 1 to 65535'
    await Promise.all([
      ...['abc', '0', '65536', '-5', '80.5', ''].map((value) => says(badPort, ['--port', value])),
      says(badPort, ['--port']),
      says('there is no option "--prot": see --help', ['--prot', '80']),
      says('there is no option "-p": see --help', ['-p', '80']),
      says('it takes options only: see --help', ['8080']),
      says('"--data" must name a folder', ['--data=']),
    ])
  })

  it('prints how it is started when asked', async () => {
    const { code, out } = await run(['--help']).over
    expect([code, out.split('\n')[0]]).toEqual([
      0,
      'usage: stream-server [--port 8080] [--data .drawbridge]',
    ])
  })

  it('says so of a port in use', async () => {
    const other: Server = createServer()
    await once(other.listen(0, '127.0.0.1'), 'listening')
    try {
      const { port: taken } = other.address() as AddressInfo
      const sentence = `port ${taken} is in use: choose another one with --port`
      await says(sentence, ['--port', String(taken), '--data', folder])
    } finally {
      await once(other.close(), 'close')
    }
  })

  it('says so of a file in place of the data folder', async () => {
    const file = path.join(folder, 'data')
    await writeFile(file, '')
    const args = ['--port', String(port), '--data']
    await says(`"${file}" cannot keep the data: it is not a folder`, [...args, file])
    const below = path.join(file, 'below')
    await says(`"${below}" cannot keep the data: it is not a folder`, [...args, below])
  })

  it('says so of a data folder that it may not write in', async () => {
    // A root may write in every folder but the kernel's own.
    const data = process.getuid?.() === 0 ? '/sys/drawbridge' : path.join(folder, 'data')
    if (data.startsWith(folder)) await mkdir(data, { mode: 0o555 })
    await says(`"${data}" cannot keep the data: this user must be able to read and write in it`, [
      '--port',
      String(port),
      '--data',
      data,
    ])
  })

  it('says so of data that another server has open', async () => {
    await start()
    const [other] = await freePorts()
    const file = path.join(folder, 'signals.db')
    await says(`"${file}" cannot be opened: another process has it open`, [
      '--port',
      String(other),
      '--data',
      folder,
    ])
  })

  describe('on a folder that was in use', () => {
    beforeEach(async () => {
      const { server } = await start()
      server.child.kill('SIGTERM')
      expect(await server.over).toMatchObject({ code: 0, err: '' })
    })

    it('says so of a database from a newer version', async () => {
      const file = path.join(folder, 'signals.db')
      const database = new Database(file)
      database.exec('PRAGMA user_version = 99')
      database.close()
      const { code, err } = await run(usual()).over
      expect(code).toBe(1)
      expect(err).toMatch(
        /^the stream server cannot start: "[^"]+signals\.db" is of version 99, and this release reads up to \d+: use the release that wrote it, or a newer one\n$/,
      )
    })

    it('says so of something else in place of the database', async () => {
      const file = path.join(folder, 'signals.db')
      await writeFile(file, 'x'.repeat(5000))
      await says(`"${file}" cannot be opened: it is not an SQLite database`, usual())
    })

    it('says so of another secret than the one the store was made under', async () => {
      const file = path.join(folder, 'secrets.json')
      const secrets = JSON.parse(await readFile(file, 'utf8')) as object
      await writeFile(file, JSON.stringify({ ...secrets, secret: 'x'.repeat(43) }))
      await says(
        'the store was made under another "secret": start with the one it was made under',
        usual(),
      )
      // And nothing was changed by it: with the right one it starts.
      await writeFile(file, JSON.stringify(secrets))
      await start()
    })

    it.each([
      '',
      '{"secret"',
      'null',
      '{"secret":"short","token":"short"}',
      `{"secret":"${'x'.repeat(43)}"}`,
    ])('says so of secrets that are %j', async (text) => {
      const file = path.join(folder, 'secrets.json')
      await writeFile(file, text)
      await says(
        `"${file}" is damaged: it must be JSON with "secret" and "token"; put it back, or begin with another folder`,
        usual(),
      )
    })
  })
})

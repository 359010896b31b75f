import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { end, freePorts } from '../support/child.ts'
import { startExample, type ExampleProcess } from './example-process.ts'

// Every test starts processes, and other suites run beside it.
jest.setTimeout(30_000)

let folder: string
let env: Record<string, string>
let running: ExampleProcess[]

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'drawbridge-demo-test-'))
  const [idp, saas] = await freePorts()
  env = {
    IDP: `http://127.0.0.1:${idp}`,
    SAAS: `http://127.0.0.1:${saas}`,
    DELIVERY: 'poll',
    DATA: folder,
    SECRET: 'a secret for a test, 32 characters or more',
    ADMIN_TOKEN: 'admin',
    CLIENT_SECRET: 'client',
    SIGNALS_TOKEN: 'signals',
    SERVICE_SECRET: 'service',
    COOKIE_SECRET: 'cookie',
  }
  running = []
})
afterEach(async () => {
  await Promise.all(running.map(({ child }) => end(child)))
  await rm(folder, { recursive: true, force: true })
})

const says = async (module: string, sentence: string): Promise<void> => {
  const started = startExample(`demo/dist/${module}`, [], env)
  running.push(started)
  const { code, out, err } = await started.over
  expect({ code, out, err }).toEqual({ code: 1, out: '', err: `${sentence}\n` })
}

describe.each([
  ['idp-process.js', 'the identity provider', 'IDP', 'idp.db'],
  ['saas-process.js', 'the application', 'SAAS', 'sessions.db'],
])('examples/demo, %s started with what it cannot use', (module, name, url, database) => {
  it('says so of its port, where that is in use', async () => {
    const other = createServer()
    await once(other.listen(0, '127.0.0.1'), 'listening')
    try {
      env[url] = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
      await says(module, `${name} cannot start: its port is in use: end the program there`)
    } finally {
      await once(other.close(), 'close')
    }
  })

  it('says so of its folder, where that is missing', async () => {
    env['DATA'] = path.join(folder, 'missing')
    const file = path.join(folder, 'missing', database)
    await says(
      module,
      `${name} cannot start: "${file}" cannot be opened: its folder must exist and be writable`,
    )
  })

  it('says so of a setting that is missing', async () => {
    env['DATA'] = ''
    await says(module, `${name} cannot start: the environment variable DATA is missing`)
  })
})

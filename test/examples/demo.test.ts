import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createBrowser } from '../../examples/demo/src/browser.ts'
import { end, freePorts } from '../support/child.ts'
import { startExample, type ExampleProcess } from './example-process.ts'

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
    AGENT_SECRET: 'agent',
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

describe('examples/demo', () => {
  const start = (...args: readonly string[]): ExampleProcess => {
    const started = startExample('demo/dist/demo.js', args)
    running.push(started)
    return started
  }

  it('shows by push and by poll how a session, a device and an agent lose access', async () => {
    const { code, out, err } = await start().over
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const [before, push = '', poll = ''] = out.split(/^Delivery by /m)
    expect(before).toBe('\n')
    expect(push).toMatch(/^push /)
    expect(poll).toMatch(/^poll /)
    for (const shown of [push, poll]) {
      const lines = shown.split('\n').map((line) => line.replaceAll(/\d+ ms/g, 'N ms').trim())
      // What comes in between may change; this must be there, in this order.
      expect(lines.filter((line) => essential.includes(line))).toEqual(essential)
    }
    expect(out).toMatch(/All as it should be\.\n$/)
  })

  it('keeps running with --keep, and takes the agent its tool and gives it back', async () => {
    const demo = start('--keep')
    const type = (command: string): void => void demo.child.stdin?.write(`${command}\n`)
    const [, saas = '', idp = ''] =
      /application +(\S+) [^]*provider +(\S+)/.exec(await demo.printed('Ctrl-C')) ?? []
    type('agent-risk')
    await demo.printed('nobody has sent the agent yet')

    const browser = createBrowser({ host: new URL(idp).host, value: 'laptop-7' })
    const form = await browser.open(`${saas}/login`)
    const page = await browser.submit(form, { username: 'alice', password: 'wonderland' })
    await browser.submit(page, {})
    await demo.printed('report-agent is sent')
    type('agent-risk')
    expect(await demo.printed('it sees read_report\n')).toContain('write aborted')
    expect((await browser.open(saas)).text).toContain('report-agent lost reports:write.')
    type('agent-ok')
    await demo.printed('it sees read_report, write_report\n')
    expect((await browser.open(saas)).text).toContain('report-agent has back what it lost.')

    demo.child.kill('SIGTERM')
    expect(await demo.over).toMatchObject({ code: 0, err: '' })
  })
})

const essential = [
  'session-revoked',
  '401  the same cookie is refused',
  '200  a new login works',
  'device-compliance-change: not-compliant',
  '401  the session is suspended',
  '401  a new login on the same device too',
  'device-compliance-change: compliant',
  '200  the same cookie works again',
  '200  alice sends her agent, report-agent',
  'mcp  it sees read_report, write_report',
  'mcp  write began: 500 lines, one by one',
  'risk-level-change: HIGH, report-agent',
  'mcp  the agent hears: "The access of this session ended while the tool was running."',
  'mcp  it gets a fresh token',
  'mcp  it sees read_report',
  'mcp  it writes no more: "This session has no access to this tool."',
  '200  alice works on, and is told: "Your agent report-agent lost reports:write."',
  'account-disabled: alice',
  'mcp  the agent has no access left',
  'mcp  it gets no fresh token',
  '401  alice has no access either',
]
